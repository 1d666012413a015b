"""Authenticates callers by the API key in the Authorization header, looked up by its fingerprint."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.api_key import key_in
from feedlane.errors import Unauthorized
from feedlane.ids import fingerprint
from feedlane.store.store import Store

# A deleted key may still be accepted for this long by a function that has cached it.
CACHE_TIME = timedelta(seconds=60)
CACHED_KEYS_MAX = 100

_cached: dict[str, datetime] = {}


def authenticate(store: Store, authorization: str | None, now: datetime) -> None:
    """Raises `Unauthorized`."""
    key = key_in(authorization)
    if key is None:
        raise Unauthorized
    key_fingerprint = fingerprint(key)
    cached = _cached.get(key_fingerprint)
    if cached is not None and cached <= now < cached + CACHE_TIME:
        return
    if store.api_key(key_fingerprint) is None:
        _cached.pop(key_fingerprint, None)
        raise Unauthorized
    if len(_cached) >= CACHED_KEYS_MAX:
        _cached.clear()
    _cached[key_fingerprint] = now


def forget_all() -> None:
    """Called after a key was deleted, so that it is refused at once."""
    _cached.clear()
