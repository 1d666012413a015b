"""Companies and connections as the API shows them, with current connection errors and working links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api import parts
from feedlane import companies, link_urls
from feedlane.codat.companies import company_json, connection_json
from feedlane.company import Company
from feedlane.connection import Connection
from feedlane.connection_errors import standing_errors
from feedlane.ids import new_secret
from feedlane.settings import Settings


def show_connections(connections: Sequence[Connection]) -> list[dict[str, Any]]:
    """With one-time passwords in their links, if the settings ask for them."""
    current = parts.current
    settings = current.store.settings()
    passwords = (
        link_urls.connection_passwords(current.store, current.clock(), new_secret, connections)
        if settings.link_passwords
        else {}
    )
    return _views(settings, connections, passwords)


def show_company(company: Company) -> dict[str, Any]:
    """A company with its connections; links as in `show_connections`."""
    current = parts.current
    has_passwords = current.store.settings().link_passwords
    password = link_urls.company_password(current.store, current.clock(), new_secret, company.id) if has_passwords else ""
    return company_json(company, show_connections(current.store.connections(company.id)), current.public_url, password)


def show_companies(shown: Sequence[Company]) -> list[dict[str, Any]]:
    """Companies with their connections. Their links have no passwords: each would cost a write."""
    current = parts.current
    connections = companies.connections_of(current.store, shown)
    everything = [connection for company in shown for connection in connections[company.id]]
    by_id = {view["id"]: view for view in _views(current.store.settings(), everything, {})}
    return [
        company_json(company, [by_id[connection.id] for connection in connections[company.id]], current.public_url)
        for company in shown
    ]


def _views(settings: Settings, connections: Sequence[Connection], passwords: Mapping[str, str]) -> list[dict[str, Any]]:
    current = parts.current
    errors = standing_errors(current.store, settings, connections)
    return [
        connection_json(connection, current.public_url, errors[connection.id], passwords.get(connection.id, ""))
        for connection in connections
    ]
