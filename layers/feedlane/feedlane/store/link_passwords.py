"""Passwords of link URLs as items. DynamoDB removes them when their time is over."""

from __future__ import annotations

from datetime import timedelta

from feedlane.ids import fingerprint
from feedlane.link_password import LinkPassword
from feedlane.store import keys
from feedlane.store.records import created, expiry, item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import Item, Put, When


def add_password(password: LinkPassword) -> Put:
    return created(keys.link_password(password.fingerprint), password, expires_at=_item(password)["expires_at"])


def find_password(store: Store, clear: str) -> LinkPassword | None:
    return password_of(store, fingerprint(clear))


def password_of(store: Store, fingerprinted: str) -> LinkPassword | None:
    return record_in(LinkPassword, store.table.get(keys.link_password(fingerprinted)))


def spend_password(password: LinkPassword) -> Put:
    """Fails for all but the first of any number of callers."""
    return Put(_item(password.but(spent=True)), When(equal={"spent": False}))


def give_back(password: LinkPassword) -> Put:
    """After a consent that came to nothing: the same link may be tried again."""
    return Put(_item(password.but(spent=False)), When(equal={"spent": True}))


def _item(password: LinkPassword) -> Item:
    key = keys.link_password(password.fingerprint)
    return item_of(key, password, expires_at=expiry(password.expires, timedelta(hours=1)))
