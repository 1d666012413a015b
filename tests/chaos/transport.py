"""Calls to a simulator in the same process, with faults, recorded as they are made."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from feedlane.retry_after import xero_retry_after
from local.simulator.faults import Fault
from tests.chaos.faults import Faults
from tests.chaos.timeline import Task, Timeline

LATENCY_SECONDS = 0.15
# The functions whose calls are about feeds. For all other calls somebody waits.
FEEDS = ("function push_", "function check_")

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]


class _Pause:
    """Replaces `asyncio.sleep` in a simulator."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __await__(self) -> Generator[float, None, None]:
        yield self.seconds


async def pause(seconds: float) -> None:
    await _Pause(seconds)


@dataclass
class Call:
    """`limits_read` are the not-before times that the caller had last read, by the limit's key."""

    at: datetime
    task: Task | None
    method: str
    path: str
    tenant: str
    body: bytes
    key: str
    token: str
    limits_read: dict[Any, Any] | None
    was_stored: bool = True
    status: int = 0
    until: datetime | None = None
    limited: str = ""
    ended: datetime | None = None

    @property
    def is_about_feed(self) -> bool:
        return self.task is not None and self.task.name.startswith(FEEDS)

    @property
    def was_stalled(self) -> bool:
        return self.task is not None and self.task.was_stalled


class Transport(httpx.BaseTransport):
    """To one upstream, whose name its faults and outages have too. `concurrency_peaks` is by tenant."""

    name = ""

    def __init__(
        self, simulator: Any, timeline: Timeline, faults: Faults, causes: Any, rng: random.Random, requests: set[bytes]
    ) -> None:
        self.calls: list[Call] = []
        self.concurrency_peaks: Counter[str] = Counter()
        self._concurrent: Counter[str] = Counter()
        self._simulator, self._timeline, self._faults, self._causes = simulator, timeline, faults, causes
        self._rng = rng
        self._requests = requests
        self._numbers = itertools.count(1)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._faults.before(self.name, LATENCY_SECONDS)
        self._faults.outages.require(self.name)
        call = self._record_call(request)
        self._strike_before(call)
        # No stalled function's calls: Lambda would have ended that one.
        counts = not call.was_stalled
        self._concurrent[call.tenant] += counts
        self.concurrency_peaks[call.tenant] = max(self.concurrency_peaks[call.tenant], self._concurrent[call.tenant])
        try:
            status, headers, body = self._serve(request, call)
        finally:
            self._concurrent[call.tenant] -= counts
            call.ended = self._timeline.now()
        call.status = status
        self._note_wait(call, {name.decode().lower(): value.decode() for name, value in headers})
        self._note_answer(call, body)
        self._faults.after(self.name, LATENCY_SECONDS)
        if self._faults.strike(self._answer_lost(call)):
            raise httpx.ReadTimeout("the answer was lost")
        return httpx.Response(status, headers=headers, content=body, request=request)

    # what each upstream has of its own

    def _tenant_of(self, request: httpx.Request) -> str:
        raise NotImplementedError

    def _token_of(self, request: httpx.Request) -> str:
        return request.headers.get("authorization", "").partition(" ")[2]

    def _note_call(self, call: Call) -> None:
        """The call is on its way: something may change at the upstream just before it arrives."""

    def _strike_before(self, call: Call) -> None:
        if self._faults.strike(f"{self.name}_unreachable"):
            raise httpx.ConnectError("no connection")
        if self._faults.strike(f"{self.name}_request_lost"):
            raise httpx.ReadTimeout("the request was lost")

    def _choose_fault(self, call: Call) -> Fault | None:
        """The fault with which the simulator answers this call, if any."""
        raise NotImplementedError

    def _note_answer(self, call: Call, body: bytes) -> None:
        """Notes what the upstream refuses, by its own answers."""

    def _answer_lost(self, call: Call) -> str:
        return f"{self.name}_answer_lost"

    # the call itself

    def _record_call(self, request: httpx.Request) -> Call:
        task = self._timeline.current()
        call = Call(
            at=self._timeline.now(),
            task=task,
            method=request.method,
            path=request.url.path,
            tenant=self._tenant_of(request),
            body=request.content,
            key=request.headers.get("idempotency-key", ""),
            token=self._token_of(request),
            limits_read=dict(task.limits_read or {}) if task is not None else None,
        )
        self._note_call(call)
        self.calls.append(call)
        return call

    def _serve(self, request: httpx.Request, call: Call) -> Answer:
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        fault = self._choose_fault(call)
        if fault is not None:
            number = str(next(self._numbers))
            self._simulator.sim.faults.injected[number] = fault
            headers.append((b"x-chaos", number.encode()))
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": call.method,
            "scheme": "https",
            "path": call.path,
            "raw_path": request.url.raw_path,
            "query_string": request.url.query,
            "root_path": "",
            "headers": headers,
            "server": (f"{self.name}.example", 443),
            "client": ("127.0.0.1", 1),
        }
        return self._run_app(scope, call.body)

    def _run_app(self, scope: dict[str, Any], body: bytes) -> Answer:
        """Runs the application to its end; while it waits, other tasks run."""
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        running: Coroutine[Any, Any, None] = self._simulator.app(scope, receive, send)
        try:
            while True:
                self._timeline.sleep(running.send(None))
        except StopIteration:
            pass
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], sent[0]["headers"], content

    def _note_wait(self, call: Call, headers: dict[str, str]) -> None:
        if call.status == 429 or "retry-after" in headers:
            call.limited = headers.get("x-rate-limit-problem", "")
            seconds = xero_retry_after(headers, call.at)
            if seconds and call.ended:
                call.until = call.ended + timedelta(seconds=seconds)
