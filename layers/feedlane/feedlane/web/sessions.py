"""Sessions: what a browser may do once it has proved itself. Of the cookie, only a fingerprint is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from feedlane.clock import epoch
from feedlane.ids import fingerprint
from feedlane.link.choice import OrganisationChoice
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.records import expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Delete, Put

LINK_SESSION_LIFETIME = timedelta(hours=1)
PORTAL_SESSION_LIFETIME = timedelta(hours=8)
S = TypeVar("S", bound=Record)


class LinkSession(Record):
    """The customer has come back from Xero: may map the accounts of this one connection."""

    company_id: str
    connection_id: str
    parameters: dict[str, str] = {}
    choice: OrganisationChoice | None = None
    password: str = ""
    """The fingerprint of the link's one-time password, if it had one."""


class PortalSession(Record):
    """An operator, let in by an API key. Ends with the key."""

    key_fingerprint: str
    key_name: str = ""


def form_token(secret: str) -> str:
    """What a session's forms carry (CSRF): only who has the cookie can know it, and it does not tell the cookie."""
    return fingerprint(f"form\x1f{secret}")[:43]


def put_session(secret: str, session: Record, now: datetime, lasts: timedelta) -> Put:
    """`secret` is the cookie's value."""
    kind = type(session).__name__
    return Put(item_of(keys.session(fingerprint(secret)), session, kind=kind, expires_at=expiry(now, lasts)))


def find_session(store: Store, model: type[S], secret: str | None, now: datetime) -> S | None:
    """The session of this kind, unless it is over: DynamoDB may be days late to remove it."""
    item = store.table.get(keys.session(fingerprint(secret))) if secret else None
    if item is None or item["kind"] != model.__name__ or item["expires_at"] <= epoch(now):
        return None
    return record_in(model, item)


def remove_session(secret: str) -> Delete:
    return Delete(keys.session(fingerprint(secret)))
