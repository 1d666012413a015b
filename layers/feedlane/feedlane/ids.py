"""Identifiers. Random ones are made only here, so that tests can pass their own."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from collections.abc import Callable

NewId = Callable[[], str]

# An account id is part of a MessageGroupId ("{connectionId}/{accountId}", at most 128 characters) and of a path:
# no white space, no percent sign, nothing outside ASCII.
ACCOUNT_ID_PATTERN = re.compile(r"[A-Za-z0-9!#$&'()*+,\-./:;=@_~]{1,80}")
TRANSACTION_ID_LENGTH_MAX = 255


def feed_id(connection_id: str, account_id: str) -> str:
    """Also the MessageGroupId of every message about the feed."""
    return f"{connection_id}/{account_id}"


def account_token(connection_id: str, account_id: str) -> str:
    """Our token for an account upstream (Xero: at most 50 characters). Always the same, so that it is found after a
    crash."""
    return fingerprint(feed_id(connection_id, account_id))[:40]


def new_id() -> str:
    return str(uuid.uuid4())


def new_secret(length: int = 32) -> str:
    return secrets.token_urlsafe(length)


def fingerprint(text: str | bytes) -> str:
    """SHA-256 in hex: to look up a secret without storing it, and to tell contents apart."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def derived_id(*parts: str) -> str:
    """A UUID that is the same for the same parts, so that a redelivered message makes it again."""
    return str(uuid.UUID(fingerprint("\x1f".join(parts))[:32], version=5))


def is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
