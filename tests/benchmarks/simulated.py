"""The functions and their queues on a simulated clock: waiting takes no time.

Functions do their work when they start, and are busy for as long as they would be on AWS. So a statement has as little
time as possible to gather lines.
"""

from __future__ import annotations

import heapq
import io
import itertools
import json
from collections import Counter, deque
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import timedelta
from typing import Any

from feedlane.aws import metrics
from feedlane.feeds.upstream import Upstream
from feedlane.follow_ups import FollowUp
from feedlane.pushes.message import QueueMessage
from feedlane.statements.sender import Sender
from feedlane.store.store import Store
from feedlane.wiring.checks import Checks
from tests.benchmarks.logged import as_deployed
from tests.fakes.table import MemoryTable
from tests.worlds.feeds import World

# From a message's arrival to its function, and each function's duration with its calls to AWS and Xero.
PICK_UP_SECONDS = 0.03
FUNCTION_SECONDS = {"record_transactions": 0.1, "push_statements": 0.5, "check_statements": 0.4}
BATCH = 10
INSTANCES = 10


class Deployment:
    """`world`'s company and feeds with this table and upstream. Each queue's messages go to its function."""

    def __init__(self, world: World, table: MemoryTable, upstream: Upstream) -> None:
        table.put_many(world.table.items.values())
        self.world = world
        self.table = table
        world.store, world.queues, world.upstream = Store(table), self, upstream  # type: ignore[assignment]
        world.sender = Sender(world.ports, upstream, self._record_age)
        world.checks = Checks(world.ports, upstream, self._record_age)
        self.told = io.StringIO()
        """The metrics that the functions have written to their logs."""
        self.invocations: Counter[str] = Counter()
        self.messages: list[tuple[str, str]] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.seconds = 0.0
        self._record = Fifo(self, "record_transactions", self._record_batch)
        self._send = Fifo(self, "push_statements", self._send_batch)

    def run(self) -> None:
        """Runs until nothing is left to do."""
        began = self.world.now - timedelta(seconds=self.seconds)
        while self._due:
            self.seconds, _, work = heapq.heappop(self._due)
            self.world.now = began + timedelta(seconds=self.seconds)
            work()

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.seconds + seconds, next(self._numbers), work))

    def reset_counts(self) -> None:
        """Resets the counts."""
        self.invocations.clear()
        self.messages.clear()
        self.told.seek(0)
        self.told.truncate()

    def count_invocation(self, function: str) -> None:
        self.invocations[function] += 1

    def _record_age(self, age: timedelta) -> None:
        with as_deployed("check_statements"), redirect_stdout(self.told):
            metrics.record_statement_age(age)

    # the queues' port

    def push(self, group: str, deduplication_id: str, body: str) -> None:
        self.messages.append(("transactions.fifo", body))
        self._record.put(group, QueueMessage(deduplication_id, group, body, self.world.now))

    def wake(self, feed_id: str) -> None:
        self.messages.append(("statements.fifo", json.dumps({"feedId": feed_id})))
        self._send.put(feed_id, feed_id)

    def follow_up(self, follow_up: FollowUp, delay_seconds: int) -> None:
        self.messages.append(("statement-checks", follow_up.model_dump_json()))
        self.after(delay_seconds + PICK_UP_SECONDS, lambda: self._run_check(follow_up))

    def deliver(self, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        self.messages.append(("webhook-deliveries", json.dumps({"consumerId": consumer_id, "eventId": event_id})))

    def replay(self, consumer_id: str, replay_id: str, delay_seconds: int) -> None:
        raise AssertionError(f"a benchmark replayed deliveries: {replay_id}")

    def dead_letter(self, group: str, deduplication_id: str, body: str, reason: str) -> None:
        raise AssertionError(f"a benchmark's message was dead-lettered: {reason}")

    # the functions

    def _record_batch(self, batch: list[Any]) -> None:
        self.world.record(*batch, more_to_come=len(batch) == BATCH)

    def _send_batch(self, batch: list[Any]) -> None:
        for feed_id in dict.fromkeys(batch):
            self.world.sender.send(feed_id)

    def _run_check(self, follow_up: FollowUp) -> None:
        self.count_invocation("check_statements")
        self.world.checks.dispatch(follow_up)


class Fifo:
    """A FIFO queue and its function: one batch of a group at a time, groups in parallel."""

    def __init__(self, deployment: Deployment, function: str, work: Callable[[list[Any]], None]) -> None:
        self._deployment, self._function, self._work = deployment, function, work
        self._waiting: dict[str, deque[Any]] = {}
        self._busy: set[str] = set()

    def put(self, group: str, message: Any) -> None:
        self._waiting.setdefault(group, deque()).append(message)
        self._deployment.after(PICK_UP_SECONDS, self._poll)

    def _poll(self) -> None:
        for group, waiting in self._waiting.items():
            if waiting and group not in self._busy and len(self._busy) < INSTANCES:
                self._busy.add(group)
                batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
                self._deployment.count_invocation(self._function)
                self._deployment.after(FUNCTION_SECONDS[self._function], lambda group=group: self._done(group))  # type: ignore[misc]
                self._work(batch)

    def _done(self, group: str) -> None:
        self._busy.discard(group)
        self._deployment.after(PICK_UP_SECONDS, self._poll)
