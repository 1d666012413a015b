"""The price that AWS charges for a million transactions in pushes of 1,000.

There is no floor: the aim is a price. A simulated run of the product's own code (`simulated.py`) counts DynamoDB's
units from the sizes of the items (`metered.py`), SQS messages with their receipt and deletion, invocations, events,
and requests to the HTTP API. `prices.json` has the prices. Each function's duration comes from the local stack, which
is slower than AWS. One webhook consumer accepts every event.

Costs that do not grow with the transactions are left out: storage, secrets, alarms, and the polling of idle queues.

Growth compares 100,000 transactions with ten times the price of 10,000, on the same ten feeds of ten tenants. Each feed
has had a push before: the first one has no ids to look up, and costs less.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from feedlane.consumer import Consumer
from feedlane.delivering import Deliverer
from feedlane.delivery import Answer
from feedlane.envelope import detail
from feedlane.pushing import accept
from feedlane.routing import route
from feedlane.store import ledger
from local.simulator.organisations import fixed_id
from tests.benchmarks import simulator
from tests.benchmarks.figures import Figure
from tests.benchmarks.metered import MeteredTable
from tests.benchmarks.sample import transactions
from tests.benchmarks.simulated import Deployment
from tests.builders import COMPANY, CONNECTION, NOW
from tests.worlds.feeds import World

PRICES: dict[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text())["prices"]
PUSH = 1000
FEEDS = tuple(f"account-{number}" for number in range(10))
PUSH_INTERVAL_SECONDS = 30.0
MESSAGE_UNIT_BYTES = 64 * 1024
MEMORY_GB = {"route_events": 0.5, "relay_events": 0.5, "deliver_webhooks": 0.5}
# Assumed where the local stack has measured nothing.
DEFAULT_SECONDS = 0.5
SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"


def run(durations: dict[str, float]) -> list[Figure]:
    """`durations` are the seconds of an invocation, by function."""
    small, large = used(10_000, durations), used(100_000, durations)
    parts = {name: usd * 10 for name, usd in priced(large).items()}
    largest = ", ".join(f"{name} {parts[name]:.2f}" for name in sorted(parts, key=parts.__getitem__, reverse=True)[:3])
    growth = sum(priced(large).values()) / (10 * sum(priced(small).values()))
    return [
        Figure("cost_usd_per_million", sum(parts.values()), f"USD; the largest parts: {largest}", at_most=3),
        Figure("cost_growth_ratio", growth, "1: ten times the transactions cost ten times as much", at_most=1.05),
    ]


def priced(units: Counter[str]) -> dict[str, float]:
    return {name: count * PRICES[name]["usd"] / PRICES[name]["per"] for name, count in units.items()}


def used(count: int, durations: dict[str, float]) -> Counter[str]:
    """The units of `count` transactions, from the push to the last webhook."""
    world, table = World(FEEDS), MeteredTable()
    for account in FEEDS:
        feed = world.feed(account).but(feed_connection_id=fixed_id(account), tenant_id=f"tenant-{account}")
        world.store.commit(ledger.put_feed(feed))
    xero = simulator.linked(world.clock, {f"tenant-{account}": [fixed_id(account)] for account in FEEDS})
    deployment = Deployment(world, table, simulator.upstream(xero, world.clock))
    consumer = Consumer(id="consumer-1", url="https://platform.example/hooks", created=NOW)
    world.store.commit(world.store.add_consumer(consumer))
    _push_all(deployment, range(1))
    deployment.reset_counts()
    table.used.clear()
    _push_all(deployment, range(1, 1 + count // PUSH // len(FEEDS)))
    delivered = sum(len(statement.received["statementLines"]) for statement in xero.statements.values())
    assert delivered == count + PUSH * len(FEEDS), f"{delivered} transactions were delivered"
    _deliver_events(deployment, consumer.id)
    return table.used + _requests(deployment, durations)


def _push_all(deployment: Deployment, turns: range) -> None:
    """Every feed's pushes, half a minute apart, until all are delivered."""
    for turn in turns:
        for account in FEEDS:
            deployment.after((turn - turns.start) * PUSH_INTERVAL_SECONDS, partial(_push, deployment, account, turn))
    deployment.run()


def _push(deployment: Deployment, account: str, turn: int) -> None:
    """Pushes as the handler does, which also looks up the API key, at most once a minute."""
    world = deployment.world
    body = json.dumps({"transactions": transactions(PUSH, 1 + turn * PUSH, NOW.date())})
    deployment.count_invocation("public_api")
    world.store.api_key("none")
    accept(world.store, deployment, world.now, world.new_id, COMPANY, CONNECTION, account, body)


def _deliver_events(deployment: Deployment, consumer_id: str) -> None:
    """Sends each event to the bus, over its queue, and to the consumer, who accepts it."""
    world = deployment.world
    deliverer = Deliverer(
        world.store,
        deployment,
        lambda _: [SECRET],
        lambda *_: Answer(status=204, duration_ms=50),
        world.clock,
        lambda: 0.0,
        world.new_id,
        lambda _: {},
    )
    for event in world.events()[len(FEEDS) :]:
        for function in ("relay_events", "route_events", "deliver_webhooks"):
            deployment.count_invocation(function)
        deployment.messages.append(("events", detail(event)))
        route(world.store, deployment, event, world.now)
        deliverer.deliver(consumer_id, event.id)


def _requests(deployment: Deployment, durations: dict[str, float]) -> Counter[str]:
    """Counts three requests per message, as if none shared a batch: send, receive, delete."""
    units: Counter[str] = Counter()
    for queue, body in deployment.messages:
        kind = "sqs_fifo_request" if queue.endswith(".fifo") else "sqs_standard_request"
        units[kind] += 2 * -(-len(body) // MESSAGE_UNIT_BYTES) + 1
    seconds: Counter[str] = Counter()
    for function, count in deployment.invocations.items():
        units["lambda_request"] += count
        seconds[function] = count * durations.get(function, DEFAULT_SECONDS) * MEMORY_GB.get(function, 1.0)  # type: ignore[assignment]
    units["lambda_gb_second"] = sum(seconds.values())
    units["http_api_request"] = deployment.invocations["public_api"]
    units["event"] = deployment.invocations["relay_events"]
    return units
