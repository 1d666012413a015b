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
    ports = parts.current
    settings = ports.store.settings()
    passwords = (
        link_urls.connection_passwords(ports.store, ports.clock(), new_secret, connections)
        if settings.link_passwords
        else {}
    )
    return _views(settings, connections, passwords)


def show_company(company: Company) -> dict[str, Any]:
    """A company with its connections; links as in `show_connections`."""
    ports = parts.current
    has_passwords = ports.store.settings().link_passwords
    password = link_urls.company_password(ports.store, ports.clock(), new_secret, company.id) if has_passwords else ""
    return company_json(company, show_connections(ports.store.connections(company.id)), ports.public_url, password)


def show_companies(shown: Sequence[Company]) -> list[dict[str, Any]]:
    """Companies with their connections. Their links have no passwords: each would cost a write."""
    ports = parts.current
    connections = companies.connections_of(ports.store, shown)
    everything = [connection for company in shown for connection in connections[company.id]]
    by_id = {view["id"]: view for view in _views(ports.store.settings(), everything, {})}
    return [
        company_json(company, [by_id[connection.id] for connection in connections[company.id]], ports.public_url)
        for company in shown
    ]


def _views(settings: Settings, connections: Sequence[Connection], passwords: Mapping[str, str]) -> list[dict[str, Any]]:
    ports = parts.current
    errors = standing_errors(ports.store, settings, connections)
    return [
        connection_json(connection, ports.public_url, errors[connection.id], passwords.get(connection.id, ""))
        for connection in connections
    ]
