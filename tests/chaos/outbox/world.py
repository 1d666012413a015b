"""The world of a schedule: changes, their events, and the real handlers that deliver them, on a virtual clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from feedlane.aws import batch
from feedlane.aws import queues as sqs
from feedlane.aws.event_bridge import EventBridgeBus
from feedlane.aws.reached import Reached
from feedlane.ports import Ports
from feedlane.store.store import Store
from feedlane.store.table import Index
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from tests.builders import numbered_ids
from tests.chaos.faults import Faults
from tests.chaos.outbox.consumers import Consumers, VaultClient
from tests.chaos.outbox.replays import Replays, all_replays
from tests.chaos.outbox.transport import Bus, Mapping, OutboxTable, Stream, context
from tests.chaos.outbox.wiring import DELIVERIES, EVENTS, PUBLIC_URL, function, wired
from tests.chaos.sqs import Queue, SQSClient
from tests.chaos.timeline import START, Timeline
from tests.worlds.feeds import World as Linked

ACCOUNTS = tuple(f"account-{number}" for number in range(4))

# Partitions of events and deliveries.
LISTED = ("EVENT#", "CONSUMER#")

MakeFaults = Callable[[random.Random, Timeline], Faults]


class World:
    """An invocation processes up to `batch_max` messages, one after the other; tasks provide the concurrency."""

    def __init__(self, rng: random.Random, make_faults: MakeFaults, consumers: int, batch_max: int = 3) -> None:
        self.rng, self.timeline = rng, Timeline()
        self.faults = make_faults(rng, self.timeline)
        self.table = OutboxTable(self.timeline, self.faults)
        self.store = Store(self.table)
        self.queue = Queue(DELIVERIES, self.timeline, rng)
        self.events = Queue(EVENTS, self.timeline, rng)
        self.sqs = SQSClient({DELIVERIES: self.queue, EVENTS: self.events}, self.faults)
        self.endpoints = Consumers(self.timeline, self.faults)
        self.replays = Replays(self)
        self.endpoints.on_arrival = self.replays.arrives
        self.bus = Bus(self.timeline, self.faults, rng, self.events)
        self.stream = Stream(self.timeline, self.faults, context(function("relay_events").handler))
        self.table.on_event = self.stream.take
        for queue, name in ((self.events, "route_events"), (self.queue, "deliver_webhooks")):
            Mapping(self.timeline, self.faults, rng, queue, name, context(function(name).handler), batch_max)
        self.new_id = numbered_ids()
        self.consumers = [self._consumer(number) for number in range(consumers)]
        self.table.put_many(Linked(ACCOUNTS).table.items.values())

    @property
    def ports(self) -> Ports:
        return Ports(self.store, sqs.queues(), self.timeline.now, self.new_id, PUBLIC_URL)

    def _consumer(self, number: int) -> Consumer:
        consumer = Consumer(id=f"consumer-{number}", url=f"https://consumer-{number}/hooks", created=START)
        self.store.commit(webhook_items.add_consumer(consumer))
        return consumer

    @contextmanager
    def deployed(self) -> Iterator[None]:
        """Connects the functions' modules to this world."""
        clients = {"sqs": Reached(self.sqs, "sqs"), "lambda": VaultClient(self.faults)}
        replacements = (self.store, self.timeline, self.rng, self.new_id, self.endpoints, _one_by_one)
        bus = EventBridgeBus(self.bus, "feedlane")
        with (
            wired(clients, *replacements) as logger,
            patch.multiple(function("relay_events"), logger=logger, bus=lambda: bus),
            self.replays.recorded(),
        ):
            yield

    def is_done(self) -> bool:
        waiting = any(shard.done < len(shard.records) for shard in self.stream.shards)
        runs = any(replay.is_running for replay in all_replays(self))
        listed = any(Index.DUE.keys[0] in item for key, item in self.table.items.items() if key[0].startswith(LISTED))
        return not (waiting or runs or listed or any(queue.messages for queue in (self.events, self.queue)))


def _one_by_one(event: Any, handle: Any, postpone: Any, logger: Any, seconds: float) -> Any:
    """Replaces `batch.concurrently`, whose threads the virtual clock cannot run."""
    return batch.one_by_one(event, handle, postpone, logger, lambda: 60_000)
