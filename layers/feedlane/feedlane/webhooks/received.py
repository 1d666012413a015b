"""Webhooks that somebody else signs as Standard Webhooks has it: verified, and none is taken twice or too late."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from feedlane.clock import Clock, epoch
from feedlane.ids import fingerprint
from feedlane.store import keys
from feedlane.store.records import expiry
from feedlane.store.store import Store
from feedlane.store.table import Put
from feedlane.webhooks.cache import CACHE_LIFETIME
from feedlane.webhooks.signature import sign

# As `svix` has it: what was signed longer ago, or later than now, is refused.
TOLERANCE = timedelta(minutes=5)
# Longer than a signature is good for. What comes again after that is signed anew, and only rings once more.
REMEMBERED_FOR = timedelta(hours=1)
ID_LENGTH_MAX, SIGNATURES_MAX = 200, 10
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class NotSigned(Exception):
    """The webhook is not signed with a secret of ours, or not just now. Quotes nothing of it."""


def verify(headers: Mapping[str, str], body: bytes, secrets: Callable[[], Iterable[str]], now: datetime) -> str:
    """The webhook's id. Raises `NotSigned`. The secrets are asked for only if all else is in order."""
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signatures = [part for part in headers.get("webhook-signature", "").split(" ") if part.startswith("v1,")]
    if not 0 < len(id) <= ID_LENGTH_MAX or not _TIMESTAMP.fullmatch(timestamp) or not signatures:
        raise NotSigned
    if abs(epoch(now) - int(timestamp)) > TOLERANCE.total_seconds():
        raise NotSigned
    for secret in secrets():
        expected = sign(secret, id, int(timestamp), body).encode()
        if any(hmac.compare_digest(expected, given.encode()) for given in signatures[:SIGNATURES_MAX]):
            return id
    raise NotSigned


class SecretsCache:
    """The secrets in a function's memory, fetched at most once a minute, whoever sends what."""

    def __init__(self, fetch: Callable[[], list[str]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: tuple[datetime, list[str]] | None = None

    def secrets(self) -> list[str]:
        now = self._clock()
        if self._kept is None or now - self._kept[0] >= CACHE_LIFETIME:
            self._kept = (now, self._fetch())
        return self._kept[1]


def is_known(store: Store, id: str) -> bool:
    return store.table.get(keys.codat_webhook(fingerprint(id))) is not None


def remember(id: str, now: datetime) -> Put:
    """For after the work: a webhook whose work has failed comes again."""
    pk, sk = keys.codat_webhook(fingerprint(id))
    return Put({"pk": pk, "sk": sk, "expires_at": expiry(now, REMEMBERED_FOR)})
