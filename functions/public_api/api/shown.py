"""Companies and connections as the API shows them: with what stops a connection now, and links that can be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api import parts
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.shapes import company_json, connection_json
from feedlane.ids import new_secret
from feedlane.link import passwords as link_passwords
from feedlane.link.standing_errors import standing_errors
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings


def connections_shown(connections: Sequence[Connection]) -> list[dict[str, Any]]:
    """With one-time passwords in their links, if the settings want them."""
    own = parts.current
    settings = settings_items.settings(own.store)
    passwords = (
        link_passwords.issue_connection_passwords(own.store, own.clock(), new_secret, connections)
        if settings.link_passwords
        else {}
    )
    return _connections(settings, connections, passwords)


def company_shown(company: Company) -> dict[str, Any]:
    """The same for a company with its connections."""
    own = parts.current
    wanted = settings_items.settings(own.store).link_passwords
    password = link_passwords.issue_company_password(own.store, own.clock(), new_secret, company.id) if wanted else ""
    return company_json(
        company, connections_shown(company_items.connections(own.store, company.id)), own.public_url, password
    )


def companies_shown(found: Sequence[Company]) -> list[dict[str, Any]]:
    """Each with its connections. Links in long lists have no passwords: each would be one more item to write."""
    own = parts.current
    of_company = company_items.connections_by_company(own.store, found)
    shown = _connections(
        settings_items.settings(own.store), [one for company in found for one in of_company[company.id]], {}
    )
    by_id = {one["id"]: one for one in shown}
    return [
        company_json(company, [by_id[one.id] for one in of_company[company.id]], own.public_url) for company in found
    ]


def _connections(
    settings: Settings, connections: Sequence[Connection], passwords: Mapping[str, str]
) -> list[dict[str, Any]]:
    own = parts.current
    standing = standing_errors(own.store, settings, connections)
    return [connection_json(one, own.public_url, standing[one.id], passwords.get(one.id, "")) for one in connections]
