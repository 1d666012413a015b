"""One-time passwords of links: issue, find and spend them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from feedlane.companies.connection import Connection
from feedlane.errors import FeedlaneError
from feedlane.ids import NewId, fingerprint
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.records import add_record, expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import WRITES_PER_COMMIT_MAX, Item, Put, When

LINK_PASSWORD_LIFETIME = timedelta(days=1)


class PasswordSpent(FeedlaneError):
    """Of several consents on one link, another was faster."""


class LinkPassword(Record):
    """Only its fingerprint is stored. Without a connection it opens the company's link and all its connections'."""

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
    """Issues a password for each connection's link. Returns them by connection id."""
    passwords = {connection.id: new_secret() for connection in connections}
    writes = [
        add_password(new_password(passwords[connection.id], connection.company_id, connection.id, now))
        for connection in connections
    ]
    for start in range(0, len(writes), WRITES_PER_COMMIT_MAX):
        store.commit(*writes[start : start + WRITES_PER_COMMIT_MAX])
    return passwords


def issue_company_password(store: Store, now: datetime, new_secret: NewId, company_id: str) -> str:
    """Issues a password for the company's link, which leads to all its connections."""
    clear = new_secret()
    store.commit(add_password(new_password(clear, company_id, "", now)))
    return clear


def add_password(password: LinkPassword) -> Put:
    return add_record(keys.link_password(password.fingerprint), password, expires_at=_item(password)["expires_at"])


def find_password(store: Store, clear: str) -> LinkPassword | None:
    return find_password_by_fingerprint(store, fingerprint(clear))


def find_password_by_fingerprint(store: Store, password_fingerprint: str) -> LinkPassword | None:
    return record_in(LinkPassword, store.table.get(keys.link_password(password_fingerprint)))


def spend_password(password: LinkPassword) -> Put:
    """The write succeeds only for the first caller."""
    return Put(_item(password.but(spent=True)), When(equal={"spent": False}))


def restore_password(password: LinkPassword) -> Put:
    """Makes the link usable again after a consent that linked nothing."""
    return Put(_item(password.but(spent=False)), When(equal={"spent": True}))


def _item(password: LinkPassword) -> Item:
    key = keys.link_password(password.fingerprint)
    return item_of(key, password, expires_at=expiry(password.expires, timedelta(hours=1)))
