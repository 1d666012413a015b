"""Idempotency-Key: answers, including errors, are kept for six minutes per app."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.simulator.answers import Answer
from local.simulator.api_call import ApiCall
from local.simulator.problems import problem, root

RETENTION = timedelta(minutes=6)
KEY_LENGTH_MAX = 128
# Feed connections 2.0 have no such header.
WITHOUT_KEYS = "/bankfeeds.xro/2.0/"


@dataclass(frozen=True)
class KeptAnswer:
    request_hash: str
    answer: Answer
    kept_at: datetime


class IdempotencyCache:
    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], KeptAnswer] = {}

    def answer_once(self, call: ApiCall, now: datetime, act: Callable[[], Answer]) -> Answer:
        """The kept answer if key and request are known; 400 if only the key is. Only for POSTs."""
        key = call.headers.get("idempotency-key")
        if call.path.startswith(WITHOUT_KEYS) or key is None or call.method != "POST" or call.token is None:
            return act()
        if len(key) > KEY_LENGTH_MAX:
            detail = f"The Idempotency-Key exceeded the maximum length of {KEY_LENGTH_MAX}."
            return root(problem("invalid-request", detail))
        cache_key = (call.token.client_id, key)
        request_hash = _hash(call)
        kept = self._kept.get(cache_key)
        if kept is not None and now < kept.kept_at + RETENTION:
            if kept.request_hash != request_hash:
                detail = "The Idempotency-Key has already been used with a different request."
                return root(problem("invalid-request", detail))
            return kept.answer
        answer = act()
        self._kept[cache_key] = KeptAnswer(request_hash, answer, now)
        return answer


def _hash(call: ApiCall) -> str:
    parts = [call.method, call.path, call.tenant_id or "", hashlib.sha256(call.body).hexdigest()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
