"""Signatures of webhooks, as Standard Webhooks 1.0.0 defines them.

Its library is not used: it would load an HTTP client and five more packages at every cold start. Tests verify this code
against that library, against `svix` and against a fixed vector.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from feedlane.clock import epoch
from feedlane.webhooks.consumer import Consumer

PREFIX = "whsec_"
SecretsOf = Callable[[Consumer], list[str]]
HeadersOf = Callable[[Consumer], Mapping[str, str]]


def signed_headers(event_id: str, now: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers. `now` is the time of this attempt. Every current secret signs, so any of them verifies."""
    timestamp = epoch(now)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, event_id, timestamp, body) for secret in secrets),
    }


def sign(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Signs one webhook. `secret` is `whsec_` and base64, `body` the exact bytes sent. Raises `ValueError`."""
    content = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("the signing secret is not base64") from None
