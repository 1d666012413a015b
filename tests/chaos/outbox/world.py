"""Changes of many kinds, their events, and the real handlers that carry these to consumers, on a virtual clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from feedlane import batch
from feedlane.bus import EventBridgeBus
from feedlane.consumer import Consumer
from feedlane.store.store import Store
from tests.builders import numbered_ids
from tests.chaos.faults import Faults
from tests.chaos.outbox.consumers import Consumers, VaultClient
from tests.chaos.outbox.replays import Replays, all_replays
from tests.chaos.outbox.road import Bus, Mapping, OutboxTable, Stream, context
from tests.chaos.outbox.wiring import DELIVERIES, EVENTS, function, wired
from tests.chaos.sqs import Queue, SQSClient
from tests.chaos.timeline import START, Timeline
from tests.worlds.feeds import World as Linked

MOST_RECEIVES = 10
ACCOUNTS = tuple(f"account-{number}" for number in range(4))

MakeFaults = Callable[[random.Random, Timeline], Faults]


class World:
    """`most` deliveries go into one invocation, one after the other: tasks stand for what runs side by side."""

    def __init__(self, rng: random.Random, make_faults: MakeFaults, consumers: int, most: int = 3) -> None:
        self.rng, self.timeline = rng, Timeline()
        self.faults = make_faults(rng, self.timeline)
        self.table = OutboxTable(self.timeline, self.faults)
        self.store = Store(self.table)
        self.queue = Queue(DELIVERIES, self.timeline, rng, MOST_RECEIVES)
        self.events = Queue(EVENTS, self.timeline, rng, MOST_RECEIVES)
        self.sqs = SQSClient({DELIVERIES: self.queue, EVENTS: self.events}, self.faults)
        self.endpoints = Consumers(self.timeline, self.faults)
        self.replays = Replays(self)
        self.endpoints.on_arrival = self.replays.arrives
        self.bus = Bus(self.timeline, self.faults, rng, self.events)
        self.stream = Stream(self.timeline, self.faults, context(function("relay_events").handler))
        self.table.on_event = self.stream.take
        for queue, name in ((self.events, "route_events"), (self.queue, "deliver_webhooks")):
            Mapping(self.timeline, self.faults, rng, queue, name, context(function(name).handler), most)
        self.new_id = numbered_ids()
        self.consumers = [self._consumer(number) for number in range(consumers)]
        self.table.put_many(Linked(ACCOUNTS).table.items.values())

    def _consumer(self, number: int) -> Consumer:
        made = Consumer(id=f"consumer-{number}", url=f"https://consumer-{number}/hooks", created=START)
        self.store.commit(self.store.add_consumer(made))
        return made

    @contextmanager
    def deployed(self) -> Iterator[None]:
        """The functions' modules with this world behind them."""
        clients = {"sqs": self.sqs, "lambda": VaultClient(self.faults)}
        ports = (self.store, self.timeline, self.rng, self.new_id, self.endpoints, _one_by_one)
        bus = EventBridgeBus(self.bus, "feedlane")
        with (
            wired(clients, *ports) as logger,
            patch.multiple(function("relay_events"), logger=logger, bus=lambda: bus),
            self.replays.seen(),
        ):
            yield

    def is_done(self) -> bool:
        waiting = any(shard.done < len(shard.records) for shard in self.stream.shards)
        runs = any(replay.is_running for replay in all_replays(self))
        return not (waiting or runs or any(queue.messages or queue.dead for queue in (self.events, self.queue)))


def _one_by_one(event: Any, handle: Any, put_off: Any, logger: Any, seconds: float) -> Any:
    """Instead of `batch.at_once`, whose threads would not know the virtual clock."""
    return batch.one_by_one(event, handle, put_off, logger, lambda: 60_000)
