"""Sessions: what a browser may do after it has proved itself. The cookie's value is kept as a fingerprint only."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.ids import fingerprint
from feedlane.organisations import Organisation
from feedlane.record import Record

LINK_LASTS = timedelta(hours=1)
PORTAL_LASTS = timedelta(hours=8)


class Choice(Record):
    """A consent that brought several organisations: which of them is meant is still to be said."""

    token_set_id: str
    authentication_event_id: str
    scopes: tuple[str, ...]
    access_ends: datetime | None = None
    organisations: tuple[Organisation, ...]


class LinkSession(Record):
    """The customer has come back from Xero: may map the accounts of this one connection."""

    company_id: str
    connection_id: str
    parameters: dict[str, str] = {}
    choice: Choice | None = None
    password: str = ""
    """The fingerprint of the link's one-time password, if it had one."""


class PortalSession(Record):
    """An operator, let in by an API key. Ends with the key."""

    key_fingerprint: str
    key_name: str = ""


def form_token(secret: str) -> str:
    """What a session's forms carry (CSRF): only who has the cookie can know it, and it does not tell the cookie."""
    return fingerprint(f"form\x1f{secret}")[:43]
