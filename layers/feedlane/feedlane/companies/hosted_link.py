"""Codat's hosted Link as a port: where a connection is at Codat, and what Codat says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from feedlane.companies.company import Company
from feedlane.companies.connection import Connection, HostedPlace, Tenant
from feedlane.companies.source_account import SourceAccount
from feedlane.record import Record

# The parameter of Codat's link that its redirect hands back as `state`.
STATE_PARAMETER = "feedlaneState"
# What the redirect URL at Codat has to bring back. Codat fills in what is in braces; the last is only for people.
_NEEDED = {
    "state": f"{{{STATE_PARAMETER}}}",
    "statusCode": "{statusCode}",
    "companyId": "{companyId}",
    "connectionId": "{connectionId}",
}
_REDIRECT = _NEEDED | {"errorMessage": "{errorMessage}"}


def redirect_template(callback_url: str) -> str:
    """The redirect URL that an operator sets at Codat, so that customers come back to this address."""
    return f"{callback_url}?" + "&".join(f"{name}={value}" for name, value in _REDIRECT.items())


class HostedClient(Record):
    """What is set at Codat for all customers of the deployment. `redirect_url` is empty if there is none."""

    offers_xero: bool
    redirect_url: str = ""

    def leads_to(self, callback_url: str) -> bool:
        """Whether customers come back to this address, with all that it needs. More does no harm."""
        try:
            parts = urlsplit(self.redirect_url)
        except ValueError:
            return False
        own = urlsplit(callback_url)
        is_same_page = (parts.scheme, parts.netloc, parts.path) == (own.scheme, own.netloc, own.path)
        return is_same_page and _NEEDED.items() <= dict(parse_qsl(parts.query)).items()


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
