"""The three functions from push to statement, as Lambda runs them: their real `app`, fed from the queues."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any
from unittest.mock import patch

from aws_lambda_powertools import Logger

from feedlane.aws import batch
from feedlane.aws import clients as aws
from feedlane.aws import queues as sqs
from feedlane.environment import environment
from feedlane.feeds import pages
from feedlane.feeds.upstream import Upstream
from feedlane.ports import Ports
from feedlane.statements.sender import Sender
from feedlane.store.store import Store
from feedlane.wiring import functions as wiring
from feedlane.wiring.checks import Checks
from tests import chains
from tests.chaos.faults import Faults
from tests.chaos.outages import DYNAMODB, SQS
from tests.chaos.sqs import Message, Queue
from tests.chaos.timeline import Timeline
from tests.handlers import Context, load

BATCH = 10
# How long the pollers of a queue may pause before they try again.
POLLER_PAUSE_SECONDS_MAX = 60.0
TRANSACTIONS, STATEMENTS, CHECKS = "transactions.fifo", "statements.fifo", "checks"
TRANSACTIONS_DEAD = "transactions-dead.fifo"
SOURCES = {TRANSACTIONS: "record_transactions", STATEMENTS: "push_statements", CHECKS: "check_statements"}
ENVIRONMENT = {
    "TRANSACTIONS_QUEUE_URL": TRANSACTIONS,
    "TRANSACTIONS_DLQ_URL": TRANSACTIONS_DEAD,
    "STATEMENTS_QUEUE_URL": STATEMENTS,
    "CHECKS_QUEUE_URL": CHECKS,
    "PUBLIC_URL": "https://feedlane.example",
}


@cache
def function(name: str) -> ModuleType:
    return load(name)


class Functions:
    """Event source mappings: batches of each queue's messages go to its function, many at once."""

    def __init__(
        self, timeline: Timeline, faults: Faults, rng: random.Random, queues: dict[str, Queue], log: io.StringIO
    ) -> None:
        self.invocations = 0
        self.log = log
        self._timeline, self._faults, self._rng, self._queues = timeline, faults, rng, queues
        for name in SOURCES:
            queues[name].on_message = self._schedule_polls(queues[name])

    def _schedule_polls(self, queue: Queue) -> Callable[[float], None]:
        def schedule(when: float) -> None:
            self._timeline.at(max(when, self._timeline.seconds) + 0.02, lambda: self._poll(queue))

        return schedule

    def _poll(self, queue: Queue) -> None:
        if end := self._faults.outages.end_of(SQS):
            self._timeline.at(end + self._rng.uniform(0, POLLER_PAUSE_SECONDS_MAX), lambda: self._poll(queue))
            return
        while batch := queue.receive_for(SOURCES[queue.name], self._rng.choice((1, 3, BATCH))):
            if not queue.is_fifo and self._faults.strike("duplicated"):
                # A standard queue may deliver a message twice.
                self._invoke(queue, batch)
            self._invoke(queue, batch)

    def _invoke(self, queue: Queue, batch: list[Message]) -> None:
        """A message may have failed so often that it becomes a dead letter; its group continues without it."""
        if self._faults.strike("dead_letter"):
            buried = self._rng.choice(batch)
            queue.bury(buried)
            batch = [message for message in batch if message is not buried]
        if self._faults.strike("message_lost"):
            # Its function has died while it handled it for the last time, and its dead letter is lost as well.
            lost = self._rng.choice(batch) if batch else None
            if lost is not None and not _has_transactions(queue, lost):
                queue.delete(lost, lost.receipt)
                batch = [message for message in batch if message is not lost]
        if batch:
            self._start(queue, batch)

    def _start(self, queue: Queue, batch: list[Message]) -> None:
        self.invocations += 1
        records = [message.record() for message in batch]
        module = function(SOURCES[queue.name])

        def work() -> None:
            answer = module.handler({"Records": records}, Context())
            self._faults.end(task)
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            if self._faults.outages.end_of(SQS):
                return  # nothing can be deleted: all of it is received again
            for message, record in zip(batch, records, strict=True):
                if message.id not in failed and not self._faults.strike("delete_lost"):
                    queue.delete(message, record["receiptHandle"])
                    self._redeliver(queue, message)
            queue.pass_time([m for m in batch if m.id in failed], self._faults.outages.end_of(DYNAMODB))

        task = self._timeline.start(f"function {SOURCES[queue.name]} {batch[0].group}", work)
        task.lineage = chains.lineage_of_run(SOURCES[queue.name], [message.lineage for message in batch])
        self._faults.doom(task)

    def _redeliver(self, queue: Queue, message: Message) -> None:
        """Delivers a processed message again, much later: queues promise at-least-once delivery only."""
        if self._faults.strike("redelivered"):
            copy = Message(message.id, message.body, message.group, message.sent, 0.0, lineage=message.lineage)
            delay = self._rng.choice((1, 30, 700, 4000))
            self._timeline.at(self._timeline.seconds + delay, lambda: queue.put(copy))


def _has_transactions(queue: Queue, message: Message) -> bool:
    """Whether the message is all there is of a push: a producer's own. A doorbell only names one."""
    return queue.name == TRANSACTIONS and '"transactions"' in message.body


@contextmanager
def deployed(
    timeline: Timeline,
    new_id: Callable[[], str],
    store: Store,
    clients: dict[str, Any],
    upstreams: list[Upstream],
    rng: random.Random,
    log: io.StringIO,
    make_checks: Callable[[Ports, Upstream], Checks] = Checks,
) -> Iterator[None]:
    """Connects the functions' modules to this schedule's world. `upstreams` has one for each instance."""
    queues = sqs.SQSQueues()
    ports = Ports(store, queues, timeline.now, new_id, ENVIRONMENT["PUBLIC_URL"])
    senders = [Sender(ports, upstream) for upstream in upstreams]
    all_checks = [make_checks(ports, upstream) for upstream in upstreams]
    logger = Logger(service="chaos", level="INFO")
    logger.registered_handler.setStream(log)  # type: ignore[attr-defined]
    logger.propagate = False
    with (
        patch.dict("os.environ", ENVIRONMENT),
        # Forces several pages where all feeds are visited.
        patch.object(pages, "CONNECTIONS_PER_PAGE_MAX", 1),
        patch.object(aws, "client", lambda service, *_: clients[service]),
        patch.object(aws, "store", lambda: store),
        # Tasks take their turns on one thread: what hangs in a batch has a test of its own.
        patch.object(batch, "overlapping", lambda works, _: [work() for work in works]),
        patch.object(sqs, "queues", lambda: queues),
        patch.object(wiring, "sender", lambda: rng.choice(senders)),
        patch.object(wiring, "checks", lambda: rng.choice(all_checks)),
        patch.multiple(function("record_transactions"), ports=lambda: ports, logger=logger),
        patch.object(function("push_statements"), "logger", logger),
        patch.object(function("check_statements"), "logger", logger),
    ):
        environment.cache_clear()
        try:
            yield
        finally:
            environment.cache_clear()
