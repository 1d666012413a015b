"""Many events to many consumers, some of which fail or hang: the real handlers on a virtual clock, with the queue's
and Lambda's limits as `template.yaml` has them."""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools import Logger
from greenlet import getcurrent

from feedlane import batch
from feedlane.consumer import Consumer
from feedlane.delivery import Answer
from feedlane.envelope import detail
from feedlane.event import Event
from feedlane.event_payloads import company_created
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Item, Key, Write
from tests import builders
from tests.builders import numbered_id, numbered_ids
from tests.chaos.faults import Faults
from tests.chaos.outbox.consumers import VaultClient
from tests.chaos.outbox.wiring import function, wired
from tests.chaos.timeline import START, Timeline
from tests.fakes.quick_table import QuickTable
from tests.stack.template import template
from tests.unit.handlers.handlers import Context

FUNCTION = "function deliver_webhooks"
READ, WRITE, SEND, TIMEOUT = 0.004, 0.008, 0.008, 15.0


def mapping() -> tuple[int, int]:
    """How many messages go into one invocation of `deliver_webhooks`, and how many of these run at once."""
    properties = template()["Resources"]["DeliverWebhooksMapping"]["Properties"]
    return int(properties["BatchSize"]), int(properties["ScalingConfig"]["MaximumConcurrency"])


class SlowTable(QuickTable):
    """Every request takes its time."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._timeline = timeline

    def get(self, key: Key) -> Item | None:
        self._timeline.sleep(READ)
        return super().get(key)

    def get_many(self, keys: Any) -> dict[Key, Item]:
        self._timeline.sleep(READ)
        return super().get_many(keys)

    def query(self, pk: str, **how: Any) -> Any:
        self._timeline.sleep(READ)
        return super().query(pk, **how)

    def commit(self, *writes: Write) -> None:
        self._timeline.sleep(WRITE)
        super().commit(*writes)
        self.inserted.clear()


@dataclass
class SlowQueue:
    """boto3's client for SQS, and the event source mapping behind it."""

    world: World
    most: int
    at_once: int
    running: int = 0
    busiest: int = 0
    messages: int = 0
    _due: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def send_message(self, **asked: Any) -> dict[str, Any]:
        self.world.timeline.sleep(SEND)
        number = next(self._numbers)
        now = self.world.timeline.seconds
        attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": str(int((START.timestamp() + now) * 1000))}
        record = {"messageId": f"m{number}", "receiptHandle": f"m{number}", "body": asked["MessageBody"]}
        self._put(now + asked["DelaySeconds"], record | {"attributes": attributes})
        self.messages += 1
        return {"MessageId": f"m{number}"}

    def change_message_visibility(self, **asked: Any) -> None:
        pass  # a failed one comes again after the pause that `_invoke` gives it

    def _put(self, when: float, record: dict[str, Any]) -> None:
        heapq.heappush(self._due, (when, next(self._numbers), record))
        self.world.timeline.at(max(when, self.world.timeline.seconds) + 0.01, self._poll)

    def _poll(self) -> None:
        now = self.world.timeline.seconds
        while self._due and self._due[0][0] <= now and self.running < self.at_once:
            batch = []
            while self._due and self._due[0][0] <= now and len(batch) < self.most:
                batch.append(heapq.heappop(self._due)[2])
            self.running += 1
            self.busiest = max(self.busiest, self.running)
            self.world.timeline.start(FUNCTION, lambda batch=batch: self._invoke(batch))  # type: ignore[misc]

    def _invoke(self, records: list[dict[str, Any]]) -> None:
        answer = function("deliver_webhooks").handler({"Records": records}, Context())
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        self.running -= 1
        for record in records:
            if record["messageId"] in failed:
                self._put(self.world.timeline.seconds + 2, record)
        self._poll()


@dataclass
class Endpoint:
    """One consumer's: how long it takes, and how it behaves from a time on, until it recovers."""

    behaviour: str
    seconds: float
    begins: float
    recovers: float
    received: dict[str, list[float]] = field(default_factory=dict)
    """When each event came, by its id."""
    attempts: int = 0

    def answer(self, timeline: Timeline, event_id: str) -> Answer:
        self.attempts += 1
        if self.begins <= timeline.seconds < self.recovers and self.behaviour != "healthy":
            return self._badly(timeline, event_id)
        timeline.sleep(self.seconds)
        self.received.setdefault(event_id, []).append(timeline.seconds)
        return Answer(status=204, duration_ms=int(self.seconds * 1000))

    def _badly(self, timeline: Timeline, event_id: str) -> Answer:
        match self.behaviour:
            case "hangs":
                timeline.sleep(TIMEOUT)
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
    """`behaviours` of the consumers; `later` is when those begin that are called so."""

    def __init__(self, seed: int, behaviours: list[str], later: float, recovers: float) -> None:
        self.rng, self.timeline = random.Random(seed), Timeline()
        self.table = SlowTable(self.timeline)
        self.store = Store(self.table)
        self.queue = SlowQueue(self, *mapping())
        self.happened: dict[str, float] = {}
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
            self.store.commit(self.store.add_consumer(consumer))

    def happen(self, number: int, seconds: float) -> None:
        """So many events, evenly spread over this time; each goes over the bus to `route_events`."""
        for one in range(number):
            self.timeline.start("an event", lambda one=one: self._event(one), seconds * one / number)  # type: ignore[misc]

    def _event(self, number: int) -> None:
        id, now = numbered_id(number), self.timeline.now()
        event = company_created(id, builders.company(f"company-{number}"), now)
        self.store.commit(emitted(event))
        self.happened[id] = self.timeline.seconds
        self.timeline.sleep(0.5)
        answer = function("route_events").handler({"Records": [_message(id, event)]}, Context())
        assert answer == {"batchItemFailures": []}, f"{id} was not routed"

    def run(self, seconds: float) -> None:
        """Raises what a function raised: whatever fails of a message, it answers for that message."""
        self.timeline.run(seconds)
        for task in self.timeline.failed:
            if task.failed is not None:
                raise task.failed

    def post(self, url: str, headers: dict[str, str], content: bytes) -> Answer:
        return self.endpoints[url.split("/")[2]].answer(self.timeline, headers["webhook-id"])

    @contextmanager
    def deployed(self) -> Iterator[None]:
        faults = Faults(self.rng, self.timeline)  # off: nothing strikes but the consumers
        clients = {"sqs": self.queue, "lambda": VaultClient(faults)}
        ports = (self.store, self.timeline, self.rng, numbered_ids(10**9))
        with wired(clients, *ports, self, self._side_by_side):
            yield

    def _side_by_side(
        self, event: dict[str, Any], handle: Any, put_off: Any, logger: Logger, seconds: float
    ) -> dict[str, Any]:
        """As `batch.at_once`, with tasks of the virtual clock in place of threads."""
        here, timeline = getcurrent(), self.timeline
        failed = {record["messageId"] for record in event["Records"]}
        state = {"left": len(failed), "waits": True}

        def wake() -> None:
            if state["waits"]:
                state["waits"] = False
                here.switch()

        def work(record: batch.Record) -> Callable[[], None]:
            def run() -> None:
                try:
                    handle(record)
                    failed.discard(record.id)
                finally:
                    state["left"] -= 1
                    if not state["left"]:
                        timeline.at(timeline.seconds, wake)

            return run

        for record in map(batch.Record.of, event["Records"]):
            timeline.start("delivery", work(record))
        timeline.at(timeline.seconds + seconds, wake)
        here.parent.switch()  # type: ignore[union-attr]
        return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}


def _message(id: str, event: Event) -> dict[str, Any]:
    """The event as the bus's rule puts it on its queue."""
    sent = str(int(event.time.timestamp() * 1000))
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": sent}
    body = json.dumps({"source": "feedlane", "detail": json.loads(detail(event))})
    return {"messageId": id, "receiptHandle": id, "body": body, "attributes": attributes}
