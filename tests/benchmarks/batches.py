"""What a batch of ten costs each function: requests to AWS and Xero, and CPU.

Ten messages of one transaction each, all of one feed, are recorded; ten feeds with ten lines each send; ten statements
of ten push operations are checked; ten events of a feed go to the bus, become deliveries, and are delivered.

The product's own code runs in one process against a table and queues in memory. Their own time is included, some
microseconds per item; serialisation, HTTP and the handlers are not. The least of some rounds is reported. How long a
batch takes on the deployed local stack is in the output of the benchmark of the queue (`drain.py`).
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from feedlane.events.event import Event
from feedlane.events.relay import BusEntry, Reply, StreamedEvent, relay
from feedlane.store.table import Item, Key, Write
from feedlane.webhooks.deliverer import Deliverer
from feedlane.webhooks.delivery import Answer
from feedlane.webhooks.router import route_all
from tests.benchmarks.figures import Figure
from tests.benchmarks.sample import transactions
from tests.builders import NOW
from tests.fakes.quick_table import QuickTable
from tests.fakes.upstream import FakeUpstream
from tests.worlds import webhooks
from tests.worlds.feeds import World

BATCH = 10
ROUNDS = 7
READS_PER_REQUEST, PUTS_PER_REQUEST = 100, 25
ACCOUNTS = tuple(f"account-{number}" for number in range(BATCH))

Work = Callable[[], Counter[str]]
"""Does a batch. Returns its requests, by what they are sent to."""


def run() -> list[Figure]:
    figures = []
    for function, prepare in PREPARED.items():
        rounds = [_measured(prepare()) for _ in range(ROUNDS)]
        milliseconds, requests = min(rounds, key=lambda measured: measured[0])
        listed = ", ".join(f"{count} to {name}" for name, count in sorted(requests.items()))
        figures += [
            Figure(f"{function}_requests", sum(requests.values()), listed),
            Figure(f"{function}_cpu_ms", milliseconds, "a batch of ten, without serialisation and HTTP"),
        ]
    return figures


def _measured(work: Work) -> tuple[float, Counter[str]]:
    gc.collect()
    gc.disable()
    try:
        before = time.process_time()
        requests = work()
        return 1000 * (time.process_time() - before), +requests
    finally:
        gc.enable()


class CountedTable(QuickTable):
    """Counts the requests that DynamoDB would get."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0

    def get(self, key: Key) -> Item | None:
        self.requests += 1
        return super().get(key)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        wanted = list(dict.fromkeys(keys))
        self.requests += -(-len(wanted) // READS_PER_REQUEST)
        return super().get_many(wanted)

    def query(self, pk: str, **conditions: Any) -> Iterable[Item]:
        self.requests += 1
        return super().query(pk, **conditions)

    def commit(self, *writes: Write) -> None:
        self.requests += 1
        super().commit(*writes)

    def put_many(self, items: Iterable[Item]) -> None:
        batch = list(items)
        self.requests += -(-len(batch) // PUTS_PER_REQUEST)
        super().put_many(batch)


class CountedUpstream(FakeUpstream):
    requests = 0

    def post_statement(self, *args: Any) -> Any:
        self.requests += 1
        return super().post_statement(*args)

    def statement_status(self, *args: Any) -> Any:
        self.requests += 1
        return super().statement_status(*args)


def _record() -> Work:
    """The feed has recorded before: its first push has no ids to look up."""
    world = _world()
    _push(world, ACCOUNTS[0], 1, BATCH)
    world.run()
    messages = [_message(world, ACCOUNTS[0], number) for number in range(1 + BATCH, 1 + 2 * BATCH)]

    def work() -> None:
        world.record(*messages)

    return _counting(world, work)


def _send() -> Work:
    world = _world()
    for account in ACCOUNTS:
        _push(world, account, 1, BATCH)
    feeds, world.queues.woken = list(dict.fromkeys(world.queues.woken)), []
    assert len(feeds) == BATCH

    def work() -> None:
        for feed in feeds:
            world.sender.send(feed)

    return _counting(world, work)


def _check() -> Work:
    world = _world()
    for account in ACCOUNTS:
        _push(world, account, 1, BATCH)
    while world.queues.woken:
        world.step()
    follow_ups, world.queues.follow_ups = [follow_up for follow_up, _ in world.queues.follow_ups], []
    assert len(follow_ups) == BATCH
    world.advance(seconds=2)

    def work() -> None:
        for follow_up in follow_ups:
            world.checks.dispatch(follow_up)

    return _counting(world, work)


def _relay() -> Work:
    bus = Bus()

    def work() -> Counter[str]:
        relay([StreamedEvent(str(number), event) for number, event in enumerate(_events())], bus)
        return Counter(bus=bus.requests)

    return work


def _route() -> Work:
    world, events = _webhook_world()
    consumers = [world.consumer()]

    def work() -> None:
        route_all(world.ports, events, world.now, consumers)

    return _counting(world, work)


def _deliver() -> Work:
    world, events = _webhook_world()
    consumer = world.consumer()
    route_all(world.ports, events, world.now, [consumer])
    posts: list[str] = []

    def post(url: str, *_: Any) -> Answer:
        posts.append(url)
        return Answer(status=204, duration_ms=50)

    deliverer = Deliverer(world.ports, lambda _: [webhooks.SECRET], post, lambda: 0.0, lambda _: {})

    def work() -> None:
        for event in events:
            deliverer.deliver(consumer.id, event.id)

    count = _counting(world, work)
    return lambda: count() + Counter(consumer=len(posts))


PREPARED: dict[str, Callable[[], Work]] = {
    "record_transactions": _record,
    "push_statements": _send,
    "check_statements": _check,
    "relay_events": _relay,
    "route_events": _route,
    "deliver_webhooks": _deliver,
}


class Bus:
    requests = 0

    def put(self, entries: list[BusEntry]) -> list[Reply]:
        self.requests += 1
        return [Reply.ACCEPTED] * len(entries)


def _world() -> World:
    return World(ACCOUNTS, table=CountedTable(), upstream=CountedUpstream())


def _webhook_world() -> tuple[webhooks.World, list[Event]]:
    world = webhooks.World(table=CountedTable())
    events = _events()
    for event in events:
        world.store.commit(webhooks.put_event(event))
    return world, events


def _events() -> list[Event]:
    return [webhooks.hold_event(f"event-{number}", NOW) for number in range(BATCH)]


def _push(world: World, account: str, first: int, count: int) -> None:
    world.record(*(_message(world, account, number) for number in range(first, first + count)))


def _message(world: World, account: str, number: int) -> Any:
    return world.message(transactions(1, number, NOW.date(), account), account)


def _counting(world: Any, work: Callable[[], None]) -> Work:
    def counted() -> Counter[str]:
        before = _requests(world)
        work()
        return _requests(world) - before

    return counted


def _requests(world: Any) -> Counter[str]:
    queues, upstream = world.queues, world.upstream
    sent = (queues.pushed, queues.woken, queues.follow_ups, queues.deliveries)
    return Counter(table=world.table.requests, queues=sum(map(len, sent)), Xero=getattr(upstream, "requests", 0))
