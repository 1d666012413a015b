"""API keys, which authenticate the platform's calls. Only their fingerprints are stored."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from feedlane.ids import new_secret
from feedlane.record import Record

API_KEYS_MAX = 10
API_KEY_NAME_LENGTH_MAX = 50


class ApiKey(Record):
    """`fingerprint` is the SHA-256 of the key; the key has 256 random bits, so no salt is needed."""

    id: str
    name: str
    fingerprint: str
    ending: str
    created: datetime


class ApiKeysRevision(Record):
    """Changes with each key that is created or deleted."""

    version: int = 0


def new_key() -> str:
    return "fl_" + new_secret()


def key_in(authorization: str | None) -> str | None:
    """The key in an `Authorization: Basic base64(key)` header, or None. As at Codat, there is no user name."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().removesuffix(":") or None
    except (binascii.Error, UnicodeDecodeError):
        return None
