"""The platform's endpoints: what each received, and how badly they answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from svix.webhooks import Webhook

from feedlane.webhooks.delivery import Answer
from tests import rights
from tests.chaos.faults import Faults
from tests.chaos.outages import VAULT
from tests.chaos.timeline import Timeline

SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
POST_SECONDS, TIMEOUT_SECONDS = 0.05, 15.0


class Consumers:
    """Replaces `WebhookSender`: a post arrives at the consumer that the host names."""

    def __init__(self, timeline: Timeline, faults: Faults) -> None:
        self._timeline, self._faults = timeline, faults
        self.received: Counter[tuple[str, str, bytes]] = Counter()
        """Counts by consumer, webhook-id and body."""
        self.on_arrival: Callable[[str], None] = lambda event_id: None

    def post(self, url: str, headers: dict[str, str], content: bytes) -> Answer:
        strike = self._faults.strike
        self._faults.before("post", POST_SECONDS)
        if strike("consumer_unreachable"):
            return Answer(error="connection")
        if strike("consumer_hangs"):
            self._timeline.sleep(TIMEOUT_SECONDS)
            return Answer(error="timeout", duration_ms=15_000)
        if strike("consumer_500"):
            return Answer(status=500)
        if strike("consumer_429"):
            return Answer(status=429, retry_after=30)
        self._receive(url, headers, content)
        self._faults.after("post", POST_SECONDS)
        if strike("consumer_answer_lost"):
            self._timeline.sleep(TIMEOUT_SECONDS)
            return Answer(error="timeout", duration_ms=15_000)
        return Answer(status=204, duration_ms=40)

    def _receive(self, url: str, headers: dict[str, str], content: bytes) -> None:
        event: dict[str, Any] = json.loads(content)
        sent = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signature = Webhook(SECRET).sign(headers["webhook-id"], sent, content.decode())
        assert headers["webhook-id"] == event["id"]
        assert headers["webhook-signature"].split(" ") == [signature]
        self.received[str(urlsplit(url).hostname), event["id"], content] += 1
        self.on_arrival(event["id"])


class VaultClient:
    """boto3's client for Lambda, as the vault behind it answers: every consumer has the same secret."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        rights.require_vault(json.loads(arguments["Payload"])["action"])
        self._faults.outages.require(VAULT, 0)  # a lock is held: no other task may run now
        if self._faults.strike("vault_failed"):
            raise ConnectionError("the vault did not answer")
        return {"StatusCode": 200, "Payload": _Payload(json.dumps({"ok": {"secrets": [SECRET], "headers": {}}}))}


class _Payload:
    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> bytes:
        return self._text.encode()
