"""API keys: what the platform's calls carry. Only a fingerprint is kept."""

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


def new_key() -> str:
    return "fl_" + new_secret()


def key_in(authorization: str | None) -> str | None:
    """The key in an `Authorization: Basic base64(key)` header (the key alone, as Codat has it), or None."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().removesuffix(":") or None
    except (binascii.Error, UnicodeDecodeError):
        return None
