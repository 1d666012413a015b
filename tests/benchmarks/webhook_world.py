"""Many events to many consumers, some of which fail or hang: the real handlers on a virtual clock.

The limits of the queue and of Lambda are those in `template.yaml`.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger
from greenlet import getcurrent

from feedlane.aws import batch
from feedlane.companies.events import company_created
from feedlane.events.envelope import bus_detail
from feedlane.events.event import Event
from feedlane.events.outbox import put_event
from feedlane.store.store import Store
from feedlane.store.table import Item, Key, Write
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Answer
from tests import builders, chains
from tests.builders import numbered_id, numbered_ids
from tests.chains import Lineage
from tests.chaos.faults import Faults
from tests.chaos.outbox.consumers import VaultClient
from tests.chaos.outbox.wiring import function, wired
from tests.chaos.timeline import START, Timeline
from tests.fakes.quick_table import QuickTable
from tests.handlers import Context
from tests.stack.template import template

NAME = "deliver_webhooks"
FUNCTION = f"function {NAME}"
READ_SECONDS, WRITE_SECONDS, SEND_SECONDS, TIMEOUT_SECONDS = 0.004, 0.008, 0.008, 15.0


def mapping() -> tuple[int, int]:
    """The batch size of `deliver_webhooks`, and the maximum of its concurrent invocations."""
    properties = template()["Resources"]["DeliverWebhooksMapping"]["Properties"]
    return int(properties["BatchSize"]), int(properties["ScalingConfig"]["MaximumConcurrency"]["Fn::If"][1])


class SlowTable(QuickTable):
    """A table whose requests take time."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._timeline = timeline

    def get(self, key: Key) -> Item | None:
        self._timeline.sleep(READ_SECONDS)
        return super().get(key)

    def get_many(self, keys: Any) -> dict[Key, Item]:
        self._timeline.sleep(READ_SECONDS)
        return super().get_many(keys)

    def query(self, pk: str, **options: Any) -> Any:
        self._timeline.sleep(READ_SECONDS)
        return super().query(pk, **options)

    def commit(self, *writes: Write) -> None:
        self._timeline.sleep(WRITE_SECONDS)
        super().commit(*writes)
        self.inserted.clear()


class Waiting(NamedTuple):
    record: dict[str, Any]
    lineage: Lineage


@dataclass
class SlowQueue:
    """boto3's client for SQS, with the event source mapping behind the queue."""

    world: World
    batch_max: int
    concurrency_max: int
    running: int = 0
    running_peak: int = 0
    messages: int = 0
    _due: list[tuple[float, int, Waiting]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def send_message(self, **arguments: Any) -> dict[str, Any]:
        self.world.timeline.sleep(SEND_SECONDS)
        number = next(self._numbers)
        now = self.world.timeline.seconds
        attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": str(int((START.timestamp() + now) * 1000))}
        record = {"messageId": f"m{number}", "receiptHandle": f"m{number}", "body": arguments["MessageBody"]}
        message = Waiting(record | {"attributes": attributes}, self.world.timeline.lineage)
        self._put(now + arguments["DelaySeconds"], message)
        self.messages += 1
        return {"MessageId": f"m{number}"}

    def change_message_visibility(self, **arguments: Any) -> None:
        pass  # `_invoke` puts failed messages back after its own pause

    def _put(self, when: float, message: Waiting) -> None:
        heapq.heappush(self._due, (when, next(self._numbers), message))
        self.world.timeline.at(max(when, self.world.timeline.seconds) + 0.01, self._poll)

    def _poll(self) -> None:
        now = self.world.timeline.seconds
        while self._due and self._due[0][0] <= now and self.running < self.concurrency_max:
            batch: list[Waiting] = []
            while self._due and self._due[0][0] <= now and len(batch) < self.batch_max:
                message = heapq.heappop(self._due)[2]
                if not chains.is_stopped(NAME, message.lineage):
                    batch.append(message)
            if not batch:
                continue
            self.running += 1
            self.running_peak = max(self.running_peak, self.running)
            task = self.world.timeline.start(FUNCTION, lambda batch=batch: self._invoke(batch))  # type: ignore[misc]
            task.lineage = chains.lineage_of_run(NAME, [message.lineage for message in batch])

    def _invoke(self, messages: list[Waiting]) -> None:
        answer = function(NAME).handler({"Records": [message.record for message in messages]}, Context())
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self.running -= 1
        for message in messages:
            if message.record["messageId"] in failed:
                self._put(self.world.timeline.seconds + 2, message)
        self._poll()


@dataclass
class Endpoint:
    """A consumer's endpoint: its response time, and its behaviour from `begins` until it recovers."""

    behaviour: str
    seconds: float
    begins: float
    recovers: float
    received: dict[str, list[float]] = field(default_factory=dict)
    """The arrival times of each event, by its id."""
    attempts: int = 0

    def answer(self, timeline: Timeline, event_id: str) -> Answer:
        self.attempts += 1
        if self.begins <= timeline.seconds < self.recovers and self.behaviour != "healthy":
            return self._misbehave(timeline, event_id)
        timeline.sleep(self.seconds)
        self.received.setdefault(event_id, []).append(timeline.seconds)
        return Answer(status=204, duration_ms=int(self.seconds * 1000))

    def _misbehave(self, timeline: Timeline, event_id: str) -> Answer:
        match self.behaviour:
            case "hangs":
                timeline.sleep(TIMEOUT_SECONDS)
                return Answer(error="timeout", duration_ms=15_000)
            case "slow":
                timeline.sleep(14.0)
                self.received.setdefault(event_id, []).append(timeline.seconds)
                return Answer(status=200, duration_ms=14_000)
            case "refuses":
                return Answer(error="connection")
            case _:
                timeline.sleep(self.seconds)
                return Answer(status=500)


class World:
    """`behaviours` are the consumers'; those named "later" begin at `later`."""

    def __init__(self, seed: int, behaviours: list[str], later: float, recovers: float) -> None:
        self.rng, self.timeline = random.Random(seed), Timeline()
        self.table = SlowTable(self.timeline)
        self.store = Store(self.table)
        self.queue = SlowQueue(self, *mapping())
        self.published: dict[str, float] = {}
        self.endpoints = {
            f"consumer-{number}": Endpoint(
                behaviour.removesuffix(" later"),
                self.rng.uniform(0.02, 0.2),
                later if behaviour.endswith(" later") else 0.0,
                recovers,
            )
            for number, behaviour in enumerate(behaviours)
        }
        for id in self.endpoints:
            consumer = Consumer(id=id, url=f"https://{id}/hooks", created=START)
            self.store.commit(webhook_items.add_consumer(consumer))

    def schedule_events(self, number: int, seconds: float) -> None:
        """Schedules so many events, evenly spread over this time. Each goes over the bus to `route_events`."""
        for index in range(number):
            self.timeline.start("event", lambda index=index: self._publish(index), seconds * index / number)  # type: ignore[misc]

    def _publish(self, number: int) -> None:
        id, now = numbered_id(number), self.timeline.now()
        event = company_created(builders.ports(lambda: id), builders.company(f"company-{number}"), now)
        self.store.commit(put_event(event))
        self.published[id] = self.timeline.seconds
        self.timeline.sleep(0.5)
        answer = function("route_events").handler({"Records": [_message(id, event)]}, Context())
        assert answer == {"batchItemFailures": []}, f"{id} was not routed"

    def run(self, seconds: float) -> None:
        """Raises what a function raised: functions report failed messages in their answer instead."""
        self.timeline.run(seconds)
        for task in self.timeline.failed:
            if task.failed is not None:
                raise task.failed

    def post(self, url: str, headers: dict[str, str], content: bytes) -> Answer:
        return self.endpoints[url.split("/")[2]].answer(self.timeline, headers["webhook-id"])

    @contextmanager
    def deployed(self) -> Iterator[None]:
        faults = Faults(self.rng, self.timeline)  # off: only the consumers fail
        clients = {"sqs": self.queue, "lambda": VaultClient(faults)}
        ports = (self.store, self.timeline, self.rng, numbered_ids(10**9))
        with wired(clients, *ports, self, self._in_parallel):
            yield

    def _in_parallel(
        self, event: dict[str, Any], handle: Any, postpone: Any, logger: Logger, seconds: float
    ) -> dict[str, Any]:
        """Replaces `batch.concurrently`, with tasks of the virtual clock instead of threads."""
        invocation, timeline = getcurrent(), self.timeline
        failed = {record["messageId"] for record in event["Records"]}
        state = {"remaining": len(failed), "waits": True}

        def wake() -> None:
            if state["waits"]:
                state["waits"] = False
                invocation.switch()

        def work(record: batch.SqsRecord) -> Callable[[], None]:
            def run() -> None:
                try:
                    handle(record)
                    failed.discard(record.id)
                finally:
                    state["remaining"] -= 1
                    if not state["remaining"]:
                        timeline.at(timeline.seconds, wake)

            return run

        for record in map(batch.SqsRecord.of, event["Records"]):
            timeline.start("delivery", work(record))
        timeline.at(timeline.seconds + seconds, wake)
        invocation.parent.switch()  # type: ignore[union-attr]
        return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}


def _message(id: str, event: Event) -> dict[str, Any]:
    """The event as the bus's rule puts it on the queue."""
    sent = str(int(event.time.timestamp() * 1000))
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": sent}
    body = json.dumps({"source": "feedlane", "detail": json.loads(bus_detail(event))})
    return {"messageId": id, "receiptHandle": id, "body": body, "attributes": attributes}
