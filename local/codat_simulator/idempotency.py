"""Idempotency-Key: the first answer is kept for 90 minutes, whatever it was, except a 429."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.codat_simulator.errors import Finding, refusal
from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall

RETENTION = timedelta(minutes=90)


@dataclass
class _Kept:
    """`answer` is None while the first call is in progress."""

    request_hash: str
    since: datetime
    answer: Answer | None = None


class IdempotencyCache:
    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def begin(self, call: ApiCall, now: datetime, *, guids_only: bool) -> Answer | None:
        """The kept answer, a 409 while the first call is in progress, a 422 for another request, or None: go on."""
        key = _key(call)
        if key is None:
            return None
        if guids_only and not _is_guid(key):
            finding = Finding("Idempotency-Key", "must be a GUID", "IdempotencyKey")
            return refusal(400, "The Idempotency-Key header must be one GUID.", [finding])
        kept = self._kept.get(key)
        if kept is None or now >= kept.since + RETENTION:
            self._kept[key] = _Kept(_hash(call), now)
            return None
        if kept.request_hash != _hash(call):
            return refusal(422)
        return kept.answer or refusal(409, "A request with this idempotency key is in progress.")

    def end(self, call: ApiCall, answer: Answer | None) -> None:
        """Keeps the answer of a call that has begun; None or a 429 frees its key."""
        key = _key(call)
        kept = self._kept.get(key) if key is not None else None
        if key is None or kept is None:
            return
        if answer is None or answer.status == 429:
            del self._kept[key]
        else:
            kept.answer = answer


def _key(call: ApiCall) -> str | None:
    return call.headers.get("idempotency-key") if call.method in ("POST", "PATCH") else None


def _is_guid(key: str) -> bool:
    try:
        uuid.UUID(key)
    except ValueError:
        return False
    return True


def _hash(call: ApiCall) -> str:
    query = "&".join(f"{name}={value}" for name, value in call.query.items())
    return hashlib.sha256(b"\n".join([call.method.encode(), call.path.encode(), query.encode(), call.body])).hexdigest()
