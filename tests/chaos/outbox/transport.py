"""A stand-in for AWS between the outbox and the consumers: the table's stream, the bus, the queues behind it.

Each delivers at least once. The stream keeps the order of a partition and waits until its batch is processed. The bus
keeps no order. A queue redelivers.
"""

from __future__ import annotations

import json
import math
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from feedlane.store.table import Item, Put, Write
from tests import chains, rights
from tests.chaos.faults import Faults
from tests.chaos.outages import DAY, DYNAMODB, EVENTS, SQS, VAULT
from tests.chaos.outbox.replays import is_of_replay
from tests.chaos.sqs import Message, Queue
from tests.chaos.table import ChaosTable, Unreachable
from tests.chaos.timeline import Crash, Timeline
from tests.handlers import Context
from tests.stack.template import template

_typed = TypeSerializer().serialize
SHARDS = 2
BATCH_SIZE = 100
BUS_SECONDS = 0.02

Handler = Callable[[dict[str, Any]], Any]
"""A function's handler, bound to its context."""


class OutboxTable(ChaosTable):
    """Reports each new event once its commit is done."""

    on_event: Callable[[Item], None] = staticmethod(lambda item: None)

    def _apply(self, write: Write) -> None:
        is_new = isinstance(write, Put) and write.key[0].startswith("EVENT#") and write.key not in self.items
        super()._apply(write)
        if is_new:
            self.on_event(self.items[write.key])


# DynamoDB's stream keeps a record for a day. EventBridge retries for as long, and then gives an event up.
STREAM_KEEPS_SECONDS = BUS_KEEPS_SECONDS = DAY
# So many failures of a shard in a row are played one by one, even during an outage.
FAILURES_PLAYED = 12


@dataclass
class Shard:
    """`at` has when each record was written, `failures` how often the present batch has failed."""

    records: list[dict[str, Any]] = field(default_factory=list)
    done: int = 0
    size: int = BATCH_SIZE
    busy: bool = False
    at: list[float] = field(default_factory=list)
    failures: int = 0


class Stream:
    """The table's stream with its event source mapping: halves a failed batch, and retries until it is trimmed."""

    def __init__(self, timeline: Timeline, faults: Faults, relay: Handler) -> None:
        self._timeline, self._faults, self._relay = timeline, faults, relay
        self.trimmed: set[str] = set()
        """The ids of the events that were dropped before they were relayed."""
        self.shards = [Shard() for _ in range(SHARDS)]
        seconds = template()["Resources"]["RelayEventsMapping"]["Properties"]["MaximumRecordAgeInSeconds"]
        self._age_max = seconds if seconds > 0 else math.inf

    def take(self, item: Item) -> None:
        shard = self.shards[zlib.crc32(item["pk"].encode()) % SHARDS]
        keys = {name: _typed(item[name]) for name in ("pk", "sk")}
        image = {name: _typed(value) for name, value in item.items()}
        change = {"Keys": keys, "NewImage": image, "SequenceNumber": f"{len(shard.records):021d}"}
        shard.at.append(self._timeline.seconds)
        shard.records.append({"eventName": "INSERT", "dynamodb": change})
        self._schedule_poll(shard, 0.2)

    def _schedule_poll(self, shard: Shard, seconds: float) -> None:
        self._timeline.at(self._timeline.seconds + seconds, lambda: self._poll(shard))

    def _poll(self, shard: Shard) -> None:
        if end := self._faults.outages.end_of(DYNAMODB):
            self._schedule_poll(shard, end - self._timeline.seconds + 1)
            return
        self._trim(shard)
        if not shard.busy and shard.done < len(shard.records):
            shard.busy = True
            batch = shard.records[shard.done : shard.done + shard.size]
            self._timeline.start("function relay_events", lambda: self._invoke(shard, batch))

    def _trim(self, shard: Shard) -> None:
        """Drops what is older than the stream, or the mapping, keeps it: the mapping's dead letter has no content."""
        oldest = self._timeline.seconds - min(STREAM_KEEPS_SECONDS, self._age_max)
        while not shard.busy and shard.done < len(shard.records):
            if shard.at[shard.done] >= oldest and not self._faults.strike("event_trimmed"):
                return
            self.trimmed.add(shard.records[shard.done]["dynamodb"]["NewImage"]["id"]["S"])
            shard.done += 1

    def _invoke(self, shard: Shard, batch: list[dict[str, Any]]) -> None:
        try:
            self._relay({"Records": batch})
            self._faults.after("relay")
        except (Crash, Exception):
            shard.size = max(1, len(batch) // 2)
            shard.failures += 1
        else:
            shard.size, shard.failures = BATCH_SIZE, 0
            if not self._faults.strike("checkpoint_lost"):
                shard.done += len(batch)
        shard.busy = False
        self._schedule_poll(shard, self._pause(shard))

    def _pause(self, shard: Shard) -> float:
        """The pause before the next batch. During an outage of the bus, what must fail again is passed over."""
        end = self._faults.outages.end_of(EVENTS)
        is_hopeless = end and shard.failures >= FAILURES_PLAYED
        return end - self._timeline.seconds + 1 if is_hopeless else min(60.0, 2.0 ** min(shard.failures, 6))


class Bus:
    """boto3's client for EventBridge, with the rule that puts each event on its queue.

    A chain continues over the bus. It never does over the table's stream, where Lambda does not follow it.
    """

    def __init__(self, timeline: Timeline, faults: Faults, rng: random.Random, queue: Queue) -> None:
        self._timeline, self._faults, self._rng, self._queue = timeline, faults, rng, queue
        self.accepted: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        rights.require("events:PutEvents", "EventBus")
        self._faults.before("bus", BUS_SECONDS)
        self._faults.outages.require(EVENTS)
        if self._faults.strike("bus_failed"):
            raise Unreachable("the bus")
        answers = [self._accept(entry) for entry in Entries]
        self._faults.after("bus", BUS_SECONDS)
        if self._faults.strike("bus_answer_lost"):
            raise Unreachable("answer of the bus")
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    def _accept(self, entry: dict[str, Any]) -> dict[str, str]:
        if self._faults.strike("bus_entry_refused"):
            return {"ErrorCode": "InternalFailure", "ErrorMessage": "not now"}
        detail = json.loads(entry["Detail"])
        self.accepted.append(detail)
        body = json.dumps({"source": entry["Source"], "detail-type": entry["DetailType"], "detail": detail})
        for _ in range(2 if self._faults.strike("bus_duplicated") else 1):
            self._target(body)
        return {"EventId": str(len(self.accepted))}

    def _target(self, body: str) -> None:
        """Puts the event on the rule's queue. The dead-letter queue of the rule is a queue as well."""
        now, end = self._timeline.seconds, self._faults.outages.end_of(SQS)
        if not end:
            self._queue.send(body, delay=self._rng.choice((0.1, 0.4, 5.0)))
        elif end - now < BUS_KEEPS_SECONDS * self._rng.uniform(0.9, 1.0):
            # Its retries come at growing intervals.
            self._timeline.at(end + self._rng.uniform(0, 600), lambda: self._queue.send(body))


class Mapping:
    """The event source mapping of a standard queue: batches of up to `batch_max` go to the function, in parallel."""

    def __init__(
        self,
        timeline: Timeline,
        faults: Faults,
        rng: random.Random,
        queue: Queue,
        name: str,
        handler: Handler,
        batch_max: int,
    ) -> None:
        self._timeline, self._faults, self._rng = timeline, faults, rng
        self._queue, self._name, self._handler, self._batch_max = queue, name, handler, batch_max
        queue.on_message = self._schedule_poll

    def _schedule_poll(self, when: float) -> None:
        self._timeline.at(max(when, self._timeline.seconds) + 0.02, self._poll)

    def _poll(self) -> None:
        if end := self._faults.outages.end_of(SQS):
            self._timeline.at(end + self._rng.uniform(0, 60), self._poll)
            return
        while batch := self._receive():
            for _ in range(2 if self._faults.strike("duplicated") else 1):
                records = [message.record() for message in batch]
                work = self._work(batch, records)
                task = self._timeline.start(f"function {self._name}", work)
                task.lineage = chains.lineage_of_run(self._name, [message.lineage for message in batch])

    def _receive(self) -> list[Message]:
        """The next batch. A message may become a dead letter before it is processed, and nobody puts it back."""
        while batch := self._queue.receive_for(self._name, self._rng.randint(1, self._batch_max)):
            buried = [
                message
                for message in batch
                if (is_of_replay(message.body) and self._faults.strike("replay_buried"))
                or self._faults.strike("message_lost")
            ]
            for message in buried:
                self._queue.bury(message)
            if remaining := [message for message in batch if message not in buried]:
                return remaining
        return []

    def _work(self, batch: list[Message], records: list[dict[str, Any]]) -> Callable[[], None]:
        def work() -> None:
            answer = self._handler({"Records": records})
            self._faults.after(self._name)
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            if self._faults.outages.end_of(SQS):
                return  # nothing can be deleted: all of it is received again
            for message, record in zip(batch, records, strict=True):
                if message.id not in failed and not self._faults.strike("delete_lost"):
                    self._queue.delete(message, record["receiptHandle"])
                    self._redeliver(message)
            end = self._faults.outages.end_of(DYNAMODB) or self._faults.outages.end_of(VAULT)
            self._queue.pass_time([message for message in batch if message.id in failed], end)

        return work

    def _redeliver(self, message: Message) -> None:
        if self._faults.strike("redelivered"):
            copy = Message(message.id, message.body, message.group, message.sent, 0.0, lineage=message.lineage)
            delay = self._rng.choice((1, 30, 700))
            self._timeline.at(self._timeline.seconds + delay, lambda: self._queue.put(copy))


def context(handler: Callable[[dict[str, Any], Any], Any]) -> Handler:
    return lambda event: handler(event, Context())
