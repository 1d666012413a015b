"""One-time passwords of links: issued, found, spent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from feedlane.companies.connection import Connection
from feedlane.ids import NewId, fingerprint
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.records import add_record, expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import WRITES_PER_COMMIT_MAX, Item, Put, When

LINK_PASSWORD_LIFETIME = timedelta(days=1)


class LinkPassword(Record):
    """Only its fingerprint is kept. Without a connection it opens the company's link, and all its connections'."""

    fingerprint: str
    company_id: str
    connection_id: str = ""
    expires: datetime
    spent: bool = False

    def opens(self, company_id: str, connection_id: str, now: datetime) -> bool:
        """`connection_id` is empty for the company's own link."""
        if self.spent or now >= self.expires or self.company_id != company_id:
            return False
        return self.connection_id in ("", connection_id)


def new_password(clear: str, company_id: str, connection_id: str, now: datetime) -> LinkPassword:
    return LinkPassword(
        fingerprint=fingerprint(clear),
        company_id=company_id,
        connection_id=connection_id,
        expires=now + LINK_PASSWORD_LIFETIME,
    )


def issue_connection_passwords(
    store: Store, now: datetime, new_secret: NewId, connections: Sequence[Connection]
) -> dict[str, str]:
    """A new password for each connection's link, by the connection's id."""
    clear = {one.id: new_secret() for one in connections}
    writes = [add_password(new_password(clear[one.id], one.company_id, one.id, now)) for one in connections]
    for start in range(0, len(writes), WRITES_PER_COMMIT_MAX):
        store.commit(*writes[start : start + WRITES_PER_COMMIT_MAX])
    return clear


def issue_company_password(store: Store, now: datetime, new_secret: NewId, company_id: str) -> str:
    """A new password for the company's own link, which leads to all its connections."""
    clear = new_secret()
    store.commit(add_password(new_password(clear, company_id, "", now)))
    return clear


def add_password(password: LinkPassword) -> Put:
    return add_record(keys.link_password(password.fingerprint), password, expires_at=_item(password)["expires_at"])


def find_password(store: Store, clear: str) -> LinkPassword | None:
    return find_password_by_fingerprint(store, fingerprint(clear))


def find_password_by_fingerprint(store: Store, fingerprinted: str) -> LinkPassword | None:
    return record_in(LinkPassword, store.table.get(keys.link_password(fingerprinted)))


def spend_password(password: LinkPassword) -> Put:
    """Fails for all but the first of any number of callers."""
    return Put(_item(password.but(spent=True)), When(equal={"spent": False}))


def restore_password(password: LinkPassword) -> Put:
    """After a consent that came to nothing: the same link may be tried again."""
    return Put(_item(password.but(spent=False)), When(equal={"spent": True}))


def _item(password: LinkPassword) -> Item:
    key = keys.link_password(password.fingerprint)
    return item_of(key, password, expires_at=expiry(password.expires, timedelta(hours=1)))
