"""The price that AWS charges for a million transactions in pushes of 1,000, and for a month without customers.

There is no floor: the aim is a price. A simulated run of the product's own code (`simulated.py`) counts DynamoDB's
units from the sizes of the items (`metered.py`), SQS messages with their receipt and deletion, invocations, events,
requests to the HTTP API and bytes sent to Xero. To these come the logs (`logged.py`), traces as the template has them
recorded, and a year of storage of what the transactions leave in the table (`stored.py`). `idle.py` counts the month
without customers. `prices.json` has the prices. Each function's duration comes from the local stack, which is slower
than AWS; if that is not running for other benchmarks, half a second is assumed. One webhook consumer accepts every
event.

The pushes are taken to be spread over a month. So each metric that they send is paid for that month, and for each push
the token set is refreshed, the webhook's secret is read, and every function asks for the table's key anew: in truth,
pushes share these. A secret per Xero user and what does not grow with the transactions are in neither figure's price
for a million; the second figure has the latter.

Growth compares 100,000 transactions with ten times the price of 10,000, on the same ten feeds of ten tenants. Each feed
has had a push before: the first one has no ids to look up, and costs less.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from feedlane.events.envelope import bus_detail
from feedlane.events.event import Event
from feedlane.feeds import items as feed_items
from feedlane.pushes.api_door import accept
from feedlane.settings import items as settings_items
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.deliverer import Deliverer
from feedlane.webhooks.delivery import Answer
from feedlane.webhooks.router import route
from local.simulator.organisations import fixed_id
from tests.benchmarks import idle, logged, simulator, stored
from tests.benchmarks.figures import Figure
from tests.benchmarks.metered import MeteredTable
from tests.benchmarks.sample import transactions
from tests.benchmarks.simulated import Deployment
from tests.builders import COMPANY, CONNECTION, NOW
from tests.stack.template import of_type
from tests.worlds.feeds import World

PRICES: dict[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text())["prices"]
PUSH = 1000
# A UUID each, and as many characters more as the connection's id has fewer here than a UUID.
FEEDS = tuple(f"{fixed_id(str(number))}{'-' * (36 - len(CONNECTION))}" for number in range(10))
PUSH_INTERVAL_SECONDS = 30.0
MESSAGE_UNIT_BYTES = 64 * 1024
# For each push: `push_statements` and `check_statements` ask for a token, `deliver_webhooks` for a secret. The first of
# them reads the keys and writes the new token set.
VAULT_CALLS_PER_PUSH = 3
SECRET_CALLS_PER_PUSH = 5
# Headers of a request to Xero and of a webhook, with TLS.
REQUEST_BYTES = 2_000
# The metrics of API Gateway that a stage with detailed metrics has for each route.
ROUTE_METRICS = 6
PARTS = {
    "requests to the table": ("dynamodb_write_unit", "dynamodb_read_unit", "kms_request"),
    "a year of storage": ("dynamodb_gb_month",),
    "its backup": ("dynamodb_backup_gb_month",),
    "queues": ("sqs_fifo_request", "sqs_standard_request"),
    "functions": ("lambda_request", "lambda_gb_second", "scheduled_run"),
    "API and events": ("http_api_request", "event", "data_out_gb"),
    "secrets": ("secret_month", "secrets_manager_call"),
    "logs": ("log_gb", "log_gb_month"),
    "metrics": ("metric_month",),
    "alarms": ("alarm_month",),
    "traces": ("trace",),
}
# Assumed where the local stack has measured nothing.
DEFAULT_SECONDS = 0.5
SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"


def run(durations: dict[str, float]) -> list[Figure]:
    """`durations` are the seconds of an invocation, by function."""
    small, large = used(10_000, durations), used(100_000, durations)
    month = monthly(large.metrics)
    million = {name: usd * 10 for name, usd in priced(large.units).items()}
    growth = sum(million.values()) / (100 * sum(priced(small.units).values()))
    parts = summed(million, priced(month))
    quiet = summed(priced(idle.used()))
    return [
        Figure("cost_usd_per_million", sum(parts.values()), f"USD: {listed(parts)}", at_most=3),
        Figure("cost_growth_ratio", growth, "1: ten times the transactions cost ten times as much", at_most=1.05),
        Figure("idle_month_usd", sum(quiet.values()), f"USD: {listed(quiet)}", at_most=5),
    ]


def summed(*costs: dict[str, float]) -> dict[str, float]:
    """The costs by the parts of which an operator sees a bill."""
    parts: dict[str, float] = defaultdict(float)
    for cost in costs:
        for name, usd in cost.items():
            parts[next((part for part, prices in PARTS.items() if name in prices), name)] += usd
    return parts


def listed(parts: dict[str, float]) -> str:
    """All parts of a cent or more, the largest first."""
    names = sorted(parts, key=lambda name: -parts[name])
    return ", ".join(f"{name} {parts[name]:.2f}" for name in names if parts[name] >= 0.005)


def priced(units: Counter[str]) -> dict[str, float]:
    return {name: count * PRICES[name]["usd"] / PRICES[name]["per"] for name, count in units.items()}


class Used(NamedTuple):
    """`metrics` are the custom metrics that were sent."""

    units: Counter[str]
    metrics: set[str]


def used(count: int, durations: dict[str, float]) -> Used:
    """The units of `count` transactions, from the push to the last webhook."""
    world, table = World(FEEDS), MeteredTable()
    for account in FEEDS:
        feed = world.feed(account).but(feed_connection_id=fixed_id(account), tenant_id=f"tenant-{account}")
        world.store.commit(feed_items.put_feed(feed))
    xero = simulator.linked(world.clock, {f"tenant-{account}": [fixed_id(account)] for account in FEEDS})
    deployment = Deployment(world, table, simulator.upstream(xero, world.clock))
    consumer = Consumer(id="consumer-1", url="https://platform.example/hooks", created=NOW)
    world.store.commit(webhook_items.add_consumer(consumer))
    _push_all(deployment, range(1))
    _deliver_events(deployment, consumer.id, world.events())
    deployment.reset_counts()
    table.used.clear()
    items_before, statements_before, events_before = set(table.items), set(xero.statements), len(world.events())
    _push_all(deployment, range(1, 1 + count // PUSH // len(FEEDS)))
    delivered = sum(len(statement.received["statementLines"]) for statement in xero.statements.values())
    assert delivered == count + PUSH * len(FEEDS), f"{delivered} transactions were delivered"
    _deliver_events(deployment, consumer.id, world.events()[events_before:])
    sent = [json.dumps(xero.statements[id].received, default=str) for id in set(xero.statements) - statements_before]
    return Used(
        table.used + _requests(deployment, durations, sent) + stored.year_of(table.items, items_before, world.now),
        _metrics(deployment),
    )


def monthly(metrics: set[str]) -> Counter[str]:
    """What is paid for a month in which there are pushes, however many."""
    [stage] = of_type("AWS::ApiGatewayV2::Stage").values()
    is_detailed = stage["Properties"]["DefaultRouteSettings"].get("DetailedMetricsEnabled", False)
    return Counter(metric_month=len(metrics) + ROUTE_METRICS * is_detailed)


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
    settings_items.api_key(world.store, "none")
    accept(world.ports, world.now, COMPANY, CONNECTION, account, body)


def _deliver_events(deployment: Deployment, consumer_id: str, events: Sequence[Event]) -> None:
    """Sends each event to the bus, over its queue, and to the consumer, who accepts it."""
    world = deployment.world
    deliverer = Deliverer(
        world.ports,
        lambda _: [SECRET],
        lambda *_: Answer(status=204, duration_ms=50),
        lambda: 0.0,
        lambda _: {},
    )
    for event in events:
        for function in ("relay_events", "route_events", "deliver_webhooks"):
            deployment.count_invocation(function)
        deployment.messages.append(("events", bus_detail(event)))
        route(world.ports, event, world.now)
        deliverer.deliver(consumer_id, event.id)


def _requests(deployment: Deployment, durations: dict[str, float], sent: Sequence[str]) -> Counter[str]:
    """Counts three requests per message, as if none shared a batch: send, receive, delete."""
    units: Counter[str] = Counter()
    for queue, body in deployment.messages:
        kind = "sqs_fifo_request" if queue.endswith(".fifo") else "sqs_standard_request"
        units[kind] += 2 * -(-len(body) // MESSAGE_UNIT_BYTES) + 1
    pushes = deployment.invocations["public_api"]
    invocations = deployment.invocations + Counter(credential_vault=VAULT_CALLS_PER_PUSH * pushes)
    log_bytes = pushes * logged.access_log_bytes() + logged.size(deployment.told.getvalue().splitlines())
    for function, count in invocations.items():
        seconds = durations.get(function, DEFAULT_SECONDS)
        units["lambda_request"] += count
        units["lambda_gb_second"] += count * seconds * idle.memory_gb(function)  # type: ignore[assignment]
        units["trace"] += count * logged.is_traced()
        log_bytes += count * (logged.size(logged.handler_lines(function)) + logged.platform_bytes(function))
    units["kms_request"] = sum(invocations.values())
    units["secrets_manager_call"] = SECRET_CALLS_PER_PUSH * pushes
    units["http_api_request"] = pushes
    units["event"] = invocations["relay_events"]
    out = sum(map(len, sent)) + REQUEST_BYTES * (invocations["check_statements"] + invocations["deliver_webhooks"])
    units["data_out_gb"] = out / 1e9  # type: ignore[assignment]
    return units + logged.units(log_bytes)


def _metrics(deployment: Deployment) -> set[str]:
    told = logged.metrics_in(deployment.told.getvalue().splitlines())
    return told.union(*(logged.metrics_in(logged.handler_lines(function)) for function in deployment.invocations))
