"""Interrupts a process at a moment of its work: it dies, it stalls, or a store answers with an error.

The moments are before and after each request to AWS and to Xero. Errors are injected where boto3 passes its request to
the network, so that everything above, including boto3's retries, is what runs on AWS.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import httpx
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

# boto3 pauses up to seven seconds in its retries; here a twentieth of that.
RETRY_SPEEDUP = 20
ERRORS = {
    "throttled": (400, "ThrottlingException"),
    "failed": (500, "InternalServiceError"),
    "denied": (400, "AccessDeniedException"),
    "hidden": (400, "ResourceNotFoundException"),
}


class Moments:
    """`at` is a moment's name (`"after PutSecretValue"`) or its number since the start; `do` is `die` or `stall`.

    `answers` has, by operation, an error of `ERRORS` or `lost` (the work is done, the answer is lost), and how often.
    """

    def __init__(self, on_stall: Callable[[], None]) -> None:
        self._on_stall = on_stall
        self._at: str | int | None = None
        self._do = ""
        self._count = 0
        self._answers: dict[str, str] = {}
        self._remaining: Counter[str] = Counter()

    def set(self, at: str | int | None, do: str, answers: dict[str, tuple[str, int]]) -> None:
        self._at, self._do, self._count = at, do, 0
        self._answers = {operation: error for operation, (error, _) in answers.items()}
        self._remaining = Counter({operation: times for operation, (_, times) in answers.items()})

    def reach(self, moment: str) -> None:
        self._count += 1
        if self._at is None or self._at not in (moment, self._count):
            return
        if self._do == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        self._at = None
        self._on_stall()

    def watch(self, client: Any) -> None:
        """Watches a boto3 client's requests."""
        client.meta.events.register("before-send", self._before)
        client.meta.events.register("response-received", self._after)

    def _before(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        self.reach(f"before {operation}")
        if self._remaining[operation] <= 0:
            return None
        self._remaining[operation] -= 1
        error = self._answers[operation]
        if error == "lost":
            URLLib3Session().send(request)
            raise ReadTimeoutError(endpoint_url=request.url)
        status, code = ERRORS[error]
        body = json.dumps({"__type": code, "message": "injected by the test"}).encode()
        headers = {"x-amzn-requestid": "injected", "content-type": "application/x-amz-json-1.1"}
        return AWSResponse(request.url, status, headers, _Body(body))

    def _after(self, event_name: str, **_: Any) -> None:
        self.reach(f"after {event_name.rpartition('.')[2]}")


class WatchedTransport(httpx.BaseTransport):
    """Watches requests to Xero."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._moments.reach(f"before {request.url.path}")
        answer = self._inner.handle_request(request)
        answer.read()
        self._moments.reach(f"after {request.url.path}")
        return answer


class _Body:
    """As much of a response's body as botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> list[bytes]:
        return [self._content]


def hurry_retries() -> None:
    botocore.endpoint.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / RETRY_SPEEDUP))  # type: ignore[assignment]
