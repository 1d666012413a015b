"""Calls to the simulator in the same process, with faults, recorded as they are made."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import httpx

from feedlane.json_object import json_object
from feedlane.retry_after import xero_retry_after
from local.simulator import gateway
from local.simulator.app import create_app
from local.simulator.clock import Clock
from local.simulator.faults import Content, Fault
from local.simulator.problems import problem
from local.simulator.state import Simulator
from tests.chaos.causes import Causes, ChaosFaults
from tests.chaos.faults import PAGES, Faults
from tests.chaos.outages import XERO
from tests.chaos.refusals import Refusal, refusals_in
from tests.chaos.timeline import Task, Timeline

STATEMENTS = "/bankfeeds.xro/1.0/Statements"
TOKEN = "/connect/token"
LATENCY_SECONDS = 0.15
# The functions whose calls are about feeds. For all other calls somebody waits.
FEEDS = ("function push_", "function check_")


class _Pause:
    """Replaces `asyncio.sleep` in the simulator."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __await__(self) -> Generator[float, None, None]:
        yield self.seconds


async def _pause(seconds: float) -> None:
    await _Pause(seconds)


class Xero:
    """A simulator and its application, reset for every schedule."""

    def __init__(self) -> None:
        self.sim = Simulator()
        self.app = create_app(self.sim)

    @classmethod
    @contextmanager
    def in_process(cls) -> Iterator[Xero]:
        """A simulator that waits by the virtual clock instead of an event loop's."""
        with patch.object(gateway, "asyncio", SimpleNamespace(sleep=_pause)):
            yield cls()

    def fresh(self, timeline: Timeline, faults: Faults) -> Causes:
        self.sim.clock = Clock(timeline.now)
        self.sim.reset()
        causes = Causes(self.sim, faults)
        self.sim.faults = ChaosFaults(causes)
        return causes


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


class XeroTransport(httpx.BaseTransport):
    """`concurrency_peaks` is by tenant."""

    def __init__(
        self, xero: Xero, timeline: Timeline, faults: Faults, causes: Causes, rng: random.Random, requests: set[bytes]
    ) -> None:
        self.calls: list[Call] = []
        self.refusals: list[Refusal] = []
        self.concurrency_peaks: Counter[str] = Counter()
        self._concurrent: Counter[str] = Counter()
        self._xero, self._timeline, self._faults, self._causes = xero, timeline, faults, causes
        self._rng = rng
        self._requests = requests
        self._numbers = itertools.count(1)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._faults.before("xero", LATENCY_SECONDS)
        self._faults.outages.require(XERO)
        call = self._record_call(request)
        self._strike_before(call)
        # No stalled function's calls: Lambda would have ended that one.
        counts = not call.was_stalled
        self._concurrent[call.tenant] += counts
        self.concurrency_peaks[call.tenant] = max(self.concurrency_peaks[call.tenant], self._concurrent[call.tenant])
        try:
            status, headers, body = self._serve(request, call)
            if call.path == TOKEN:
                self._timeline.sleep(LATENCY_SECONDS)
        finally:
            self._concurrent[call.tenant] -= counts
            call.ended = self._timeline.now()
        call.status = status
        self._note_refusal(call, headers, body)
        self._faults.after("xero", LATENCY_SECONDS)
        lost = "token_answer_lost" if call.path == TOKEN else "xero_answer_lost"
        if self._faults.strike(lost):
            raise httpx.ReadTimeout("the answer was lost")
        return httpx.Response(status, headers=headers, content=body, request=request)

    def _record_call(self, request: httpx.Request) -> Call:
        task = self._timeline.current()
        body = request.content
        call = Call(
            at=self._timeline.now(),
            task=task,
            method=request.method,
            path=request.url.path,
            tenant=request.headers.get("xero-tenant-id", ""),
            body=body,
            key=request.headers.get("idempotency-key", ""),
            token=request.headers.get("authorization", "").partition(" ")[2],
            limits_read=dict(task.limits_read or {}) if task is not None else None,
        )
        if call.path == STATEMENTS and call.method == "POST":
            call.was_stored = body in self._requests
            self._causes.strike(call.tenant, body)
        self.calls.append(call)
        return call

    def _strike_before(self, call: Call) -> None:
        if self._faults.strike("xero_unreachable"):
            raise httpx.ConnectError("no connection")
        if self._faults.strike("xero_request_lost"):
            raise httpx.ReadTimeout("the request was lost")
        token = self._xero.sim.access_tokens.get(call.token)
        if token is not None and self._faults.strike("xero_401"):
            token.ended = True

    def _serve(self, request: httpx.Request, call: Call) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        fault = self._choose_fault(call)
        if fault is not None:
            number = str(next(self._numbers))
            self._xero.sim.faults.injected[number] = fault  # type: ignore[attr-defined]
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
            "server": ("xero.example", 443),
            "client": ("127.0.0.1", 1),
        }
        return self._run_app(scope, call.body)

    def _run_app(self, scope: dict[str, Any], body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Runs the application to its end; while it waits, other tasks run."""
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        running: Coroutine[Any, Any, None] = self._xero.app(scope, receive, send)  # type: ignore[arg-type]
        try:
            while True:
                self._timeline.sleep(running.send(None))
        except StopIteration:
            pass
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], sent[0]["headers"], content

    def _choose_fault(self, call: Call) -> Fault | None:
        """The fault with which the simulator answers this call, if any."""
        strike = self._faults.strike
        for kind, statuses in PAGES.items():
            if strike(kind):
                content: Content = self._rng.choice(("html", "empty"))
                return Fault(0, "page", "before", status=self._rng.choice(statuses), content=content)
        if call.path == TOKEN:
            return (
                Fault(0, "status", self._rng.choice(("before", "after")), status=500) if strike("token_500") else None
            )
        for limit, seconds_max in (("minute", 60), ("day", 77_000), ("concurrent", 0), ("appminute", 60)):
            if strike(f"xero_429_{limit}"):
                return Fault(
                    0,
                    "rateLimit",
                    "before",
                    limit=limit,
                    seconds=self._rng.randint(1, seconds_max) if seconds_max else None,
                )
        if strike("xero_503"):
            headers = {"Retry-After": str(self._rng.choice((60, 5_000, 100_000)))} if self._rng.random() < 0.2 else {}
            return Fault(0, "status", "before", status=503, headers=headers)
        internal = problem("internal-error")
        if strike("xero_500"):
            return Fault(0, "problem", "before", problem=internal)
        if strike("xero_500_after_work"):
            return Fault(0, "problem", "after", problem=internal)
        return None

    def _note_refusal(self, call: Call, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Notes what Xero refuses, and counts the refusals that have causes, by Xero's answers."""
        self.refusals += refusals_in(
            self._xero.sim, call.method, call.path, call.tenant, call.token, call.body, body, call.status,
            self._timeline.now(),
        )  # fmt: skip
        by_name = {name.decode().lower(): value.decode() for name, value in headers}
        if call.status == 429 or "retry-after" in by_name:
            call.limited = by_name.get("x-rate-limit-problem", "")
            seconds = xero_retry_after(by_name, call.at)
            if seconds and call.ended:
                call.until = call.ended + timedelta(seconds=seconds)
        if call.status not in (403, 422) or not self._faults.on:
            return
        value = json_object(body)
        if value is None:  # a page of something before Xero
            return
        refusal = value["items"][0]["errors"][0] if "items" in value else value
        kind = refusal.get("type") or refusal.get("Detail")
        if kind != "invalid-end-date":  # a consequence of a moved time zone, not a fault
            self._faults.count(f"answer_{call.status}_{kind}")
