"""Companies and connections as the API shows them, with current connection errors and working links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.parts import current_parts
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.shapes import company_json, connection_json
from feedlane.ids import new_secret
from feedlane.link import passwords as link_passwords
from feedlane.link.standing_errors import standing_errors
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings


def show_connections(connections: Sequence[Connection]) -> list[dict[str, Any]]:
    """With one-time passwords in their links, if the settings ask for them."""
    parts = current_parts()
    settings = settings_items.settings(parts.store)
    passwords: Mapping[str, str] = {}
    if settings.link_passwords:
        passwords = link_passwords.issue_connection_passwords(parts.store, parts.clock(), new_secret, connections)
    return _views(settings, connections, passwords)


def show_company(company: Company) -> dict[str, Any]:
    """A company with its connections; links as in `show_connections`."""
    parts = current_parts()
    password = ""
    if settings_items.settings(parts.store).link_passwords:
        password = link_passwords.issue_company_password(parts.store, parts.clock(), new_secret, company.id)
    connections = show_connections(company_items.connections(parts.store, company.id))
    return company_json(company, connections, parts.public_url, password)


def show_companies(companies: Sequence[Company]) -> list[dict[str, Any]]:
    """Companies with their connections. The links have no passwords, as each would cost a write."""
    parts = current_parts()
    by_company = company_items.connections_by_company(parts.store, companies)
    connections = [connection for company in companies for connection in by_company[company.id]]
    views = {view["id"]: view for view in _views(settings_items.settings(parts.store), connections, {})}
    return [
        company_json(company, [views[connection.id] for connection in by_company[company.id]], parts.public_url)
        for company in companies
    ]


def _views(settings: Settings, connections: Sequence[Connection], passwords: Mapping[str, str]) -> list[dict[str, Any]]:
    parts = current_parts()
    errors = standing_errors(parts.store, settings, connections)
    return [
        connection_json(connection, parts.public_url, errors[connection.id], passwords.get(connection.id, ""))
        for connection in connections
    ]
