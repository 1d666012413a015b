"""Who calls: the API key in the Authorization header, looked up by its fingerprint."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.errors import Unauthorized
from feedlane.ids import fingerprint
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import key_in
from feedlane.store.store import Store

# How long a deleted key may still be let in by a function that has seen it.
REMEMBERED = timedelta(seconds=60)
MOST_REMEMBERED = 100

_seen: dict[str, datetime] = {}


def authenticate(store: Store, authorization: str | None, now: datetime) -> None:
    """Raises `Unauthorized`."""
    key = key_in(authorization)
    if key is None:
        raise Unauthorized
    print = fingerprint(key)
    seen = _seen.get(print)
    if seen is not None and seen <= now < seen + REMEMBERED:
        return
    if settings_items.api_key(store, print) is None:
        _seen.pop(print, None)
        raise Unauthorized
    if len(_seen) >= MOST_REMEMBERED:
        _seen.clear()
    _seen[print] = now


def forget_all() -> None:
    """For a key that this function has just deleted."""
    _seen.clear()
