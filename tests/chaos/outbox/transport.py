"""A stand-in for AWS between the outbox and the consumers: the table's stream, the bus, the queues behind it.

Each delivers at least once. The stream keeps the order of a partition and waits until its batch is processed. The bus
keeps no order. A queue redelivers.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from feedlane.store.table import Item, Put, Write
from tests import chains, rights
from tests.chaos.faults import Faults
from tests.chaos.outbox.replays import is_of_replay
from tests.chaos.sqs import Message, Queue
from tests.chaos.table import ChaosTable, Unreachable
from tests.chaos.timeline import Crash, Timeline
from tests.handlers import Context

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


@dataclass
class Shard:
    records: list[dict[str, Any]] = field(default_factory=list)
    done: int = 0
    size: int = BATCH_SIZE
    busy: bool = False


class Stream:
    """The table's stream with its event source mapping: halves a failed batch, and retries for ever."""

    def __init__(self, timeline: Timeline, faults: Faults, relay: Handler) -> None:
        self._timeline, self._faults, self._relay = timeline, faults, relay
        self.shards = [Shard() for _ in range(SHARDS)]

    def take(self, item: Item) -> None:
        shard = self.shards[zlib.crc32(item["pk"].encode()) % SHARDS]
        keys = {name: _typed(item[name]) for name in ("pk", "sk")}
        image = {name: _typed(value) for name, value in item.items()}
        change = {"Keys": keys, "NewImage": image, "SequenceNumber": f"{len(shard.records):021d}"}
        shard.records.append({"eventName": "INSERT", "dynamodb": change})
        self._schedule_poll(shard, 0.2)

    def _schedule_poll(self, shard: Shard, seconds: float) -> None:
        self._timeline.at(self._timeline.seconds + seconds, lambda: self._poll(shard))

    def _poll(self, shard: Shard) -> None:
        if not shard.busy and shard.done < len(shard.records):
            shard.busy = True
            batch = shard.records[shard.done : shard.done + shard.size]
            self._timeline.start("function relay_events", lambda: self._invoke(shard, batch))

    def _invoke(self, shard: Shard, batch: list[dict[str, Any]]) -> None:
        try:
            self._relay({"Records": batch})
            self._faults.after("relay")
        except (Crash, Exception):
            shard.size = max(1, len(batch) // 2)
        else:
            shard.size = BATCH_SIZE
            if not self._faults.strike("checkpoint_lost"):
                shard.done += len(batch)
        shard.busy = False
        self._schedule_poll(shard, 1.0)


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
            self._queue.send(body, delay=self._rng.choice((0.1, 0.4, 5.0)))
        return {"EventId": str(len(self.accepted))}


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
        while batch := self._receive():
            for _ in range(2 if self._faults.strike("duplicated") else 1):
                records = [message.record() for message in batch]
                work = self._work(batch, records)
                task = self._timeline.start(f"function {self._name}", work)
                task.lineage = chains.lineage_of_run(self._name, [message.lineage for message in batch])

    def _receive(self) -> list[Message]:
        """The next batch. A replay's message may become a dead letter before it is processed."""
        while batch := self._queue.receive_for(self._name, self._rng.randint(1, self._batch_max)):
            buried = [
                message for message in batch if is_of_replay(message.body) and self._faults.strike("replay_buried")
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
            for message, record in zip(batch, records, strict=True):
                if message.id not in failed and not self._faults.strike("delete_lost"):
                    self._queue.delete(message, record["receiptHandle"])
                    self._redeliver(message)

        return work

    def _redeliver(self, message: Message) -> None:
        if self._faults.strike("redelivered"):
            copy = Message(message.id, message.body, message.group, message.sent, 0.0, lineage=message.lineage)
            delay = self._rng.choice((1, 30, 700))
            self._timeline.at(self._timeline.seconds + delay, lambda: self._queue.put(copy))


def context(handler: Callable[[dict[str, Any], Any], Any]) -> Handler:
    return lambda event: handler(event, Context())
