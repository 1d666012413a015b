"""Codat's hosted Link as a port: where a connection is at Codat, and what Codat says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from feedlane.companies.company import Company
from feedlane.companies.connection import Connection, HostedPlace, Tenant
from feedlane.companies.source_account import SourceAccount


class HostedLink(Protocol):
    """All methods raise `Refused`, `ReconnectionNeeded` (Codat has no such connection), `Unavailable`."""

    def prepare(self, company: Company, connection: Connection, is_free: Callable[[str], bool]) -> HostedPlace:
        """The connection's place at Codat: the one that it has, one that is meant for it, or a new one.

        A repeat finds what an attempt before has made. `is_free`: whether this connection may have that company there.
        """

    def offer(self, place: HostedPlace, accounts: Iterable[SourceAccount]) -> None:
        """Makes the accounts known to Codat: without any, it does not ask the customer for bank feeds."""

    def start_url(self, place: HostedPlace) -> str:
        """Where the customer authorises the connection. It may be good for one use."""

    def linked_tenant(self, place: HostedPlace) -> Tenant | None:
        """The organisation, as Codat describes it now; None if Codat does not have the connection as linked."""

    def disconnect(self, place: HostedPlace) -> None:
        """Unlinks it. One that is not linked, or gone, is no error."""
