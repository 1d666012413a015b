"""The functions between their queues on a simulated clock: minutes of waiting take no time.

Functions do their work when they start, and are busy for as long as they would be on AWS. That leaves a statement as
little to gather as possible.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections import Counter, deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from feedlane.queue_message import QueueMessage
from feedlane.queues import Check
from feedlane.store.store import Store
from feedlane.upstream import Upstream
from tests.fakes.table import MemoryTable
from tests.worlds.feeds import World

# Seconds from a message's arrival to its function, and how long each function takes with AWS and Xero around it.
PICKED_UP = 0.03
TAKES = {"record_transactions": 0.1, "push_statements": 0.5, "check_statements": 0.4}
BATCH = 10
INSTANCES = 10


class Deployment:
    """`world`'s company and feeds with this table and upstream; what is put on a queue comes to its function."""

    def __init__(self, world: World, table: MemoryTable, upstream: Upstream) -> None:
        table.put_many(world.table.items.values())
        self.world = world
        self.table = table
        world.store, world.queues, world.upstream = Store(table), self, upstream  # type: ignore[assignment]
        ports = (world.store, self, upstream, world.clock, world.new_id)
        world.sender, world.checker = type(world.sender)(*ports), type(world.checker)(*ports)
        self.invocations: Counter[str] = Counter()
        self.messages: list[tuple[str, str]] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.seconds = 0.0
        self._record = Fifo(self, "record_transactions", self._recorded)
        self._send = Fifo(self, "push_statements", self._sent)

    def run(self) -> None:
        """Until nothing is left to do."""
        began = self.world.now - timedelta(seconds=self.seconds)
        while self._due:
            self.seconds, _, work = heapq.heappop(self._due)
            self.world.now = began + timedelta(seconds=self.seconds)
            work()

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.seconds + seconds, next(self._numbers), work))

    def forget(self) -> None:
        """What was counted so far."""
        self.invocations.clear()
        self.messages.clear()

    def called(self, function: str) -> None:
        self.invocations[function] += 1

    # the queues' port

    def push(self, group: str, deduplication_id: str, body: str) -> None:
        self.messages.append(("transactions.fifo", body))
        self._record.put(group, QueueMessage(deduplication_id, group, body, self.world.now))

    def wake(self, feed_id: str) -> None:
        self.messages.append(("statements.fifo", json.dumps({"feedId": feed_id})))
        self._send.put(feed_id, feed_id)

    def check(self, check: Check, delay_seconds: int) -> None:
        self.messages.append(("statement-checks", check.model_dump_json()))
        self.after(delay_seconds + PICKED_UP, lambda: self._looked(check))

    def deliver(self, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        self.messages.append(("webhook-deliveries", json.dumps({"consumerId": consumer_id, "eventId": event_id})))

    def replay(self, consumer_id: str, replay_id: str, delay_seconds: int) -> None:
        raise AssertionError(f"no benchmark replays deliveries: {replay_id}")

    def set_aside(self, group: str, deduplication_id: str, body: str, reason: str) -> None:
        raise AssertionError(f"no message of a benchmark is set aside: {reason}")

    # the functions

    def _recorded(self, batch: list[Any]) -> None:
        self.world.record(*batch, more_to_come=len(batch) == BATCH)

    def _sent(self, batch: list[Any]) -> None:
        for feed_id in dict.fromkeys(batch):
            self.world.sender.send(feed_id)

    def _looked(self, check: Check) -> None:
        self.called("check_statements")
        self.world.checker.look(check)


class Fifo:
    """A FIFO queue and its function: one batch of a group at a time, groups side by side."""

    def __init__(self, deployment: Deployment, function: str, work: Callable[[list[Any]], None]) -> None:
        self._deployment, self._function, self._work = deployment, function, work
        self._waiting: dict[str, deque[Any]] = {}
        self._busy: set[str] = set()

    def put(self, group: str, message: Any) -> None:
        self._waiting.setdefault(group, deque()).append(message)
        self._deployment.after(PICKED_UP, self._poll)

    def _poll(self) -> None:
        for group, waiting in self._waiting.items():
            if waiting and group not in self._busy and len(self._busy) < INSTANCES:
                self._busy.add(group)
                batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
                self._deployment.called(self._function)
                self._deployment.after(TAKES[self._function], lambda group=group: self._done(group))  # type: ignore[misc]
                self._work(batch)

    def _done(self, group: str) -> None:
        self._busy.discard(group)
        self._deployment.after(PICKED_UP, self._poll)
