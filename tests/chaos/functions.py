"""The three functions of the road as Lambda runs them: their own `app`, fed from the queues, dying when they crash."""

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

from feedlane.aws import clients as aws
from feedlane.aws import queues as sqs
from feedlane.environment import environment
from feedlane.feeds import pages
from feedlane.feeds.upstream import Upstream
from feedlane.statements.sender import Sender
from feedlane.store.store import Store
from feedlane.wiring import functions as wiring
from feedlane.wiring.checks import Checks
from tests.chaos.faults import Faults
from tests.chaos.sqs import Message, Queue
from tests.chaos.timeline import Timeline
from tests.unit.handlers.handlers import Context, load

BATCH = 10
TRANSACTIONS, STATEMENTS, CHECKS = "transactions.fifo", "statements.fifo", "checks"
TRANSACTIONS_DEAD = "transactions-dead.fifo"
# As in template.yaml: how often a message is received before it is a dead letter.
MOST_RECEIVES = {TRANSACTIONS: 10, STATEMENTS: 10, CHECKS: 10}
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
    """Event source mappings: each queue's messages go to its function, in batches, many at once."""

    def __init__(
        self, timeline: Timeline, faults: Faults, rng: random.Random, queues: dict[str, Queue], log: io.StringIO
    ) -> None:
        self.invocations = 0
        self.log = log
        self._timeline, self._faults, self._rng, self._queues = timeline, faults, rng, queues
        for name in SOURCES:
            queues[name].on_message = self._bell(queues[name])

    def _bell(self, queue: Queue) -> Callable[[float], None]:
        def ring(when: float) -> None:
            self._timeline.at(max(when, self._timeline.seconds) + 0.02, lambda: self._poll(queue))

        return ring

    def _poll(self, queue: Queue) -> None:
        while batch := queue.receive(self._rng.choice((1, 3, BATCH))):
            if not queue.is_fifo and self._faults.strike("duplicated"):
                # A standard queue may hand out a message twice.
                self._invoke(queue, batch)
            self._invoke(queue, batch)

    def _invoke(self, queue: Queue, batch: list[Message]) -> None:
        """Some message has failed so often that it is a dead letter: the others of its group go on without it."""
        if self._faults.strike("dead_letter"):
            buried = self._rng.choice(batch)
            queue.bury(buried)
            batch = [message for message in batch if message is not buried]
        if batch:
            self._start(queue, batch)

    def _start(self, queue: Queue, batch: list[Message]) -> None:
        self.invocations += 1
        records = [message.record() for message in batch]
        module = function(SOURCES[queue.name])

        def work() -> None:
            answer = module.handler({"Records": records}, Context())
            self._faults.end(task)
            failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            for message, record in zip(batch, records, strict=True):
                if message.id not in failed and not self._faults.strike("delete_lost"):
                    queue.delete(message, record["receiptHandle"])
                    self._redeliver(queue, message)

        task = self._timeline.start(f"function {SOURCES[queue.name]} {batch[0].group}", work)
        self._faults.doom(task)

    def _redeliver(self, queue: Queue, message: Message) -> None:
        """An old message comes back, long after it was done: at least once is all that a queue promises."""
        if self._faults.strike("redelivered"):
            again = Message(message.id, message.body, message.group, message.sent, 0.0)
            delay = self._rng.choice((1, 30, 700, 4000))
            self._timeline.at(self._timeline.seconds + delay, lambda: queue.put(again))


@contextmanager
def deployed(
    timeline: Timeline,
    new_id: Callable[[], str],
    store: Store,
    clients: dict[str, Any],
    upstreams: list[Upstream],
    rng: random.Random,
    log: io.StringIO,
) -> Iterator[None]:
    """The functions' modules with this schedule's world behind them. `upstreams`: one for each instance."""
    queues = sqs.SQSQueues()
    ports = [(store, queues, upstream, timeline.now, new_id) for upstream in upstreams]
    senders, all_checks = [Sender(*some) for some in ports], [Checks(*some) for some in ports]
    logger = Logger(service="chaos", level="INFO")
    logger.registered_handler.setStream(log)  # type: ignore[attr-defined]
    logger.propagate = False
    with (
        patch.dict("os.environ", ENVIRONMENT),
        # What concerns all feeds has to be gone through in several pages here too.
        patch.object(pages, "CONNECTIONS_PER_PAGE_MAX", 1),
        patch.object(aws, "client", lambda service, *_: clients[service]),
        patch.object(aws, "store", lambda: store),
        patch.object(sqs, "queues", lambda: queues),
        patch.object(wiring, "sender", lambda: rng.choice(senders)),
        patch.object(wiring, "checks", lambda: rng.choice(all_checks)),
        patch.multiple(function("record_transactions"), system_clock=timeline.now, new_id=new_id, logger=logger),
        patch.object(function("push_statements"), "logger", logger),
        patch.object(function("check_statements"), "logger", logger),
    ):
        environment.cache_clear()
        try:
            yield
        finally:
            environment.cache_clear()
