"""Authenticates callers by the API key in the Authorization header, looked up by its fingerprint."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.errors import Unauthorized
from feedlane.ids import fingerprint
from feedlane.settings import items as settings_items
from feedlane.settings.api_key import key_in
from feedlane.settings.wrong_keys import WrongKeys
from feedlane.store.store import Store

# A deleted key may still be accepted for this long by a function that has cached it.
CACHE_TIME = timedelta(seconds=5)
CACHED_KEYS_MAX = 100

# When each key was last read from the table, by its fingerprint.
_read_at: dict[str, datetime] = {}
wrong_keys = WrongKeys()


def authenticate(store: Store, authorization: str | None, address: str, now: datetime) -> None:
    """Raises `Unauthorized` unless the header has a known key, and `TooManyAttempts` after many unknown ones.

    A right key is never slowed by others that come from its address, as behind a proxy.
    """
    key = key_in(authorization)
    if key is None:
        raise Unauthorized
    key_fingerprint = fingerprint(key)
    read_at = _read_at.get(key_fingerprint)
    if read_at is not None and read_at <= now < read_at + CACHE_TIME:
        return
    with wrong_keys.counted(address, now):
        _require_known(store, key_fingerprint)
    if len(_read_at) >= CACHED_KEYS_MAX:
        _read_at.clear()
    _read_at[key_fingerprint] = now


def forget_all() -> None:
    """Clears the memory, so that a key that was just deleted is refused at once."""
    _read_at.clear()
    wrong_keys.forget_all()


def _require_known(store: Store, key_fingerprint: str) -> None:
    if settings_items.api_key(store, key_fingerprint) is None:
        _read_at.pop(key_fingerprint, None)
        raise Unauthorized
