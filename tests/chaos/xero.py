"""Xero: its simulator in the same process, the calls to it, and its books."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import httpx

from feedlane.json_object import json_object
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
from tests.chaos.timeline import Timeline
from tests.chaos.transport import LATENCY_SECONDS, Answer, Call, Transport, pause

STATEMENTS = "/bankfeeds.xro/1.0/Statements"
TOKEN = "/connect/token"


class Xero:
    """A simulator and its application, reset for every schedule."""

    def __init__(self) -> None:
        self.sim = Simulator()
        self.app = create_app(self.sim)

    @classmethod
    @contextmanager
    def in_process(cls) -> Iterator[Xero]:
        """A simulator that waits by the virtual clock instead of an event loop's."""
        with patch.object(gateway, "asyncio", SimpleNamespace(sleep=pause)):
            yield cls()

    def fresh(self, timeline: Timeline, faults: Faults) -> Causes:
        self.sim.clock = Clock(timeline.now)
        self.sim.reset()
        causes = Causes(self.sim, faults)
        self.sim.faults = ChaosFaults(causes)
        return causes


class XeroTransport(Transport):
    name = XERO

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.refusals: list[Refusal] = []

    def _tenant_of(self, request: httpx.Request) -> str:
        return request.headers.get("xero-tenant-id", "")

    def _note_call(self, call: Call) -> None:
        if call.path == STATEMENTS and call.method == "POST":
            call.was_stored = call.body in self._requests
            self._causes.strike(call.tenant, call.body)

    def _strike_before(self, call: Call) -> None:
        super()._strike_before(call)
        token = self._simulator.sim.access_tokens.get(call.token)
        if token is not None and self._faults.strike("xero_401"):
            token.ended = True

    def _serve(self, request: httpx.Request, call: Call) -> Answer:
        answer = super()._serve(request, call)
        if call.path == TOKEN:
            self._timeline.sleep(LATENCY_SECONDS)
        return answer

    def _answer_lost(self, call: Call) -> str:
        return "token_answer_lost" if call.path == TOKEN else super()._answer_lost(call)

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

    def _note_answer(self, call: Call, body: bytes) -> None:
        """Notes what Xero refuses, and counts the refusals that have causes, by Xero's answers."""
        self.refusals += refusals_in(
            self._simulator.sim, call.method, call.path, call.tenant, call.token, call.body, body, call.status,
            self._timeline.now(),
        )  # fmt: skip
        if call.status not in (403, 422) or not self._faults.on:
            return
        value = json_object(body)
        if value is None:  # a page of something before Xero
            return
        refusal = value["items"][0]["errors"][0] if "items" in value else value
        kind = refusal.get("type") or refusal.get("Detail")
        if kind != "invalid-end-date":  # a consequence of a moved time zone, not a fault
            self._faults.count(f"answer_{call.status}_{kind}")
