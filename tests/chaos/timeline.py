"""A virtual clock with tasks that wait on it, in the same order in every run.

Each task is a greenlet. A waiting task lets the others run until its time has come, so that invocations interleave at
every read, write, send and call, in an order that depends only on the seed.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet

from tests.chains import NEW, Lineage

START = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


class Crash(BaseException):
    """The process has died: nothing of it runs any further, whatever it would have caught."""


class Task(greenlet):
    """One invocation, or one action of a person or a platform."""

    name = ""
    dead = False
    stalled = False
    was_stalled = False
    in_vault = 0
    struck = 0
    steps = 0
    """The reads, writes, sends and calls that it has begun or ended."""
    dies_at = 0
    """The step at which it is killed; 0 for never."""
    lineage: Lineage = NEW
    """The lineage of the messages that it sends."""
    failed: BaseException | None = None
    limits_read: dict[Any, Any] | None = None
    """The not-before times that it has read, by the limit's key."""


class Timeline:
    def __init__(self) -> None:
        self.seconds = 0.0
        self._due: list[tuple[float, int, Callable[[], Any]]] = []
        self._order = itertools.count()
        self._hub = getcurrent()
        self._until = 0.0
        self.tasks: set[Task] = set()
        self.failed: list[Task] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def at(self, seconds: float, act: Callable[[], Any]) -> None:
        heapq.heappush(self._due, (seconds, next(self._order), act))

    def start(self, name: str, work: Callable[[], Any], after: float = 0.0) -> Task:
        """Starts a task, which keeps whatever it raises."""
        task = Task(lambda: self._run(task, work), parent=self._hub)
        task.name = name
        task.lineage = self.lineage
        self.tasks.add(task)
        self.at(self.seconds + after, task.switch)
        return task

    def current(self) -> Task | None:
        task = getcurrent()
        return task if isinstance(task, Task) else None

    @property
    def lineage(self) -> Lineage:
        """The lineage of a message that is sent now."""
        task = self.current()
        return task.lineage if task else NEW

    def sleep(self, seconds: float) -> None:
        until = self.seconds + seconds
        if getcurrent() is self._hub or (until <= self._until and (not self._due or self._due[0][0] > until)):
            self.seconds = max(self.seconds, until)
            return
        self.at(until, getcurrent().switch)
        self._hub.switch()

    def run(self, seconds: float) -> None:
        """Runs everything due within `seconds`, or until nothing is left."""
        self._until = self.seconds + seconds
        while self._due and self._due[0][0] <= self._until:
            when, _, act = heapq.heappop(self._due)
            self.seconds = max(self.seconds, when)
            act()
        if self._due:
            self.seconds = max(self.seconds, self._until)

    @property
    def is_idle(self) -> bool:
        return not self._due

    def jump(self, seconds: float) -> None:
        """Advances the clock without running anything: whatever was due is late."""
        self.seconds += seconds

    @property
    def stalled(self) -> bool:
        return any(task.stalled for task in self.tasks)

    def _run(self, task: Task, work: Callable[[], Any]) -> None:
        try:
            work()
        except Crash as crash:
            task.failed = crash
        except Exception as error:
            task.failed = error
            self.failed.append(task)
        finally:
            self.tasks.discard(task)
