"""What a connection is called and what is said of it, before its organisation is known too, and at each upstream."""

from __future__ import annotations

from feedlane.companies.connection import Connection


def name_of(connection: Connection) -> str:
    """The organisation. Codat may not name it; and while the upstream changes, it is the one of before."""
    if organisation := connection.tenant or connection.former_tenant:
        return organisation.name or f"An organisation at {place_of(connection)}"
    return not_yet(connection)


def not_yet(connection: Connection) -> str:
    """What is missing until its customer has connected it."""
    return "Not connected to Xero yet" if connection.is_direct else "Not connected through Codat yet"


def place_of(connection: Connection) -> str:
    """Where its access is given and ends."""
    return "Xero" if connection.is_direct else "Codat"
