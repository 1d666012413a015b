"""Sessions: what a browser may do once it is authenticated. Only a fingerprint of the cookie is stored."""

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
    """A customer who has come back from Xero and may map the accounts of this one connection."""

    company_id: str
    connection_id: str
    parameters: dict[str, str] = {}
    choice: OrganisationChoice | None = None
    password: str = ""
    """The fingerprint of the link's one-time password, if it had one."""


class PortalSession(Record):
    """An operator who signed in with an API key. The session ends when the key is deleted."""

    key_fingerprint: str
    key_name: str = ""


def form_token(secret: str) -> str:
    """The CSRF token of a session's forms. It can be computed only from the cookie, and does not reveal it."""
    return fingerprint(f"form\x1f{secret}")[:43]


def put_session(secret: str, session: Record, now: datetime, lifetime: timedelta) -> Put:
    """`secret` is the cookie's value."""
    kind = type(session).__name__
    return Put(item_of(keys.session(fingerprint(secret)), session, kind=kind, expires_at=expiry(now, lifetime)))


def find_session(store: Store, model: type[S], secret: str | None, now: datetime) -> S | None:
    """The session of this kind, unless it has expired: DynamoDB may remove expired items days late."""
    item = store.table.get(keys.session(fingerprint(secret))) if secret else None
    if item is None or item["kind"] != model.__name__ or item["expires_at"] <= epoch(now):
        return None
    return record_in(model, item)


def remove_session(secret: str) -> Delete:
    return Delete(keys.session(fingerprint(secret)))
