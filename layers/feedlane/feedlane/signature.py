"""Signatures of webhooks, as Standard Webhooks 1.0.0 has them.

Made here and not with its library: that brings an HTTP client and five more packages to every cold start, and these
lines are verified against it, against `svix` and against a fixed vector.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Lock

from feedlane.clock import Clock, epoch

PREFIX = "whsec_"
REMEMBERED = timedelta(seconds=60)
SecretsOf = Callable[[str], list[str]]


def signed_headers(event_id: str, now: datetime, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers. `now` is the time of this attempt; each current secret signs, so that any one verifies."""
    timestamp = epoch(now)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, event_id, timestamp, body) for secret in secrets),
    }


def sign(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """`secret` is `whsec_` and base64; `body` the exact bytes sent. Raises `ValueError` for a broken secret."""
    content = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


class RememberedSecrets:
    """The secrets of each consumer, asked for at most once a minute: the one before a rotation still signs for long."""

    def __init__(self, ask: SecretsOf, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._known: dict[str, tuple[datetime, list[str]]] = {}
        self._lock = Lock()

    def of(self, consumer_id: str) -> list[str]:
        """The newest first. A consumer without any is asked for again: its secret may be on its way."""
        now = self._clock()
        known = self._known.get(consumer_id)
        if known and now - known[0] < REMEMBERED:
            return known[1]
        with self._lock:
            known = self._known.get(consumer_id)
            if known and now - known[0] < REMEMBERED:
                return known[1]
            secrets = self._ask(consumer_id)
            if secrets:
                self._known[consumer_id] = (now, secrets)
        return secrets


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a signing secret is not base64") from None
