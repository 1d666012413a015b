"""Calls that ask one limit: each comes at its time, a little late, and asks again until it may go."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from feedlane.statements.limits import Call, Lane, Limits, Slot, Traffic, admit, finish_call, moment
from tests.builders import NOW


@dataclass
class Asking:
    """`late` (seconds) is the most that a message is late, `takes` the longest that a call takes, `lost` how many of
    the calls with a slot never come.
    """

    limits: Limits
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    late: float = 2.0
    takes: float = 0.0
    lost: float = 0.0
    stalls: tuple[float, float] = (0.0, 0.0)
    """From when to when (seconds) no message comes."""
    went: list[tuple[datetime, str]] = field(default_factory=list)
    asks: Counter[str] = field(default_factory=Counter)
    traffic: Traffic = field(default_factory=Traffic)

    def run(self, calls: Sequence[tuple[float, Lane]]) -> None:
        """Calls with the second of their first ask and their lane. Their ids are their places in the sequence."""
        numbers = itertools.count()
        heap: list[tuple[datetime, int, str, Any]] = []

        def come(at: datetime, what: str, call: Call) -> None:
            first, last = (NOW + timedelta(seconds=edge) for edge in self.stalls)
            if first <= at < last:
                at = last + timedelta(seconds=self.rng.uniform(0, self.late))
            heapq.heappush(heap, (at, next(numbers), what, call))

        for number, (second, lane) in enumerate(calls):
            come(NOW + timedelta(seconds=second), "ask", Call(str(number), lane))
        while heap:
            now, _, what, call = heapq.heappop(heap)
            if what == "end":
                self.traffic = finish_call(self.traffic, call.id, now)
                continue
            self.asks[call.id] += 1
            answer = admit(self.traffic, self.limits, now, call)
            if isinstance(answer, Traffic):
                self.traffic = answer
                self.went.append((now, call.id))
                come(now + timedelta(seconds=self.rng.uniform(0, self.takes)), "end", call)
                continue
            assert isinstance(answer, Slot)
            self.traffic = answer.traffic
            if self.rng.random() >= self.lost:
                wait = int((moment(answer.at) - now).total_seconds()) + 1
                due = now + timedelta(seconds=wait + self.rng.uniform(0, self.late))
                come(due, "ask", Call(call.id, call.lane, answer.lane))

    @property
    def seconds(self) -> float:
        return (self.went[-1][0] - NOW).total_seconds()

    def most_in_a_minute(self) -> int:
        return most_in_a_minute([at for at, _ in self.went])


def most_in_a_minute(times: Sequence[datetime]) -> int:
    """The most of these times, which are in order, that are in any 60 seconds."""
    first, most = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= timedelta(seconds=60):
            first += 1
        most = max(most, last - first + 1)
    return most
