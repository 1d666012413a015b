"""Calls to Xero for 5,000 messages of one transaction each, over 5 feeds of one tenant, under Xero's own limits.

The floor is the smallest number of calls that can deliver them: a POST for every 1,000 lines of a feed, the maximum of
a statement, and one status check for each statement. That is 10 calls, and takes a sender that has all messages before
it sends any.

All messages are on the queue when the first is received, as after an outage. Everything else is the product's own code
and the simulator: the real Xero client, the shared count of calls, Xero's limits (60 a minute, 5 concurrent). A call
refused with a 429 counts. Time is simulated (`simulated.py`).

The plain loop posts each message as its own statement, waits as long as a 429 asks, and never checks a statement's
status: that would double its calls.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import lru_cache
from typing import Any

from feedlane.feeds import items as feed_items
from feedlane.feeds.upstream import STATEMENT_LINES_MAX, Accepted, TenantAccess, TryLater
from feedlane.money import loads
from feedlane.pushes.transaction import parse_transaction
from feedlane.statements.statement import build_statement
from local.simulator.organisations import fixed_id
from local.simulator.state import Simulator
from tests.benchmarks import simulator
from tests.benchmarks.figures import Figure
from tests.benchmarks.sample import transactions
from tests.benchmarks.simulated import Deployment
from tests.builders import NOW
from tests.fakes.quick_table import QuickTable
from tests.worlds.feeds import World

FEEDS = tuple(f"account-{number}" for number in range(5))
MESSAGES = 5000
TENANT = "tenant-1"
# The duration of a call in the plain loop.
CALL_TIME = timedelta(seconds=0.3)


def run() -> list[Figure]:
    fewest = len(FEEDS) * -(-len(rows()) // STATEMENT_LINES_MAX) * 2
    floor = f"{fewest} calls: a statement for every {STATEMENT_LINES_MAX:,} lines, checked once"
    return [
        Figure("calls_ratio", feedlane_calls() / fewest, floor, at_most=1.2),
        Figure("calls_loop_ratio", plain_loop_calls() / fewest, floor),
    ]


@lru_cache(maxsize=1)
def rows() -> list[dict[str, Any]]:
    """The transactions of one feed; all feeds have the same."""
    return transactions(MESSAGES // len(FEEDS), last_day=NOW.date())


def feedlane_calls() -> int:
    world, xero = set_up()
    deployment = Deployment(world, QuickTable(), simulator.upstream(xero, world.clock))
    for row in rows():
        for account in FEEDS:
            message = world.message([row], account)
            deployment.push(message.group, message.id, message.body)
    deployment.run()
    require_all_delivered(xero)
    return count_calls(xero)


def plain_loop_calls() -> int:
    world, xero = set_up()
    upstream = simulator.upstream(xero, world.clock)
    access = TenantAccess(tenant_id=TENANT, token_set_id="tokens-1")
    for row in loads(json.dumps(rows())):
        line, _, _ = parse_transaction(0, row)
        assert line is not None
        for account in FEEDS:
            request = upstream.request_bytes(access, build_statement(fixed_id(account), [line]))
            answer: Any = None
            while not isinstance(answer, Accepted):
                answer = upstream.post_statement(access, request, f"{account} {line.id}")
                world.now += CALL_TIME
                if isinstance(answer, TryLater):
                    world.now += timedelta(seconds=answer.seconds)
    world.now += timedelta(minutes=1)
    require_all_delivered(xero)
    return count_calls(xero)


def set_up() -> tuple[World, Simulator]:
    world = World(FEEDS)
    for account in FEEDS:
        world.store.commit(feed_items.put_feed(world.feed(account).but(feed_connection_id=fixed_id(account))))
    return world, simulator.linked(world.clock, {TENANT: [fixed_id(account) for account in FEEDS]})


def require_all_delivered(xero: Simulator) -> None:
    """Each feed got every transaction once, in order."""
    expected = [row["id"] for row in rows()]
    for account in FEEDS:
        statements = [sent for sent in xero.statements.values() if sent.feed_connection_id == fixed_id(account)]
        assert all(statement.status(xero.now()) == "DELIVERED" for statement in statements), account
        ids = [line["transactionId"] for statement in statements for line in statement.received["statementLines"]]
        assert ids == expected, f"{account}: {len(ids)} of {len(expected)} lines, or another order"


def count_calls(xero: Simulator) -> int:
    return sum(call.path.startswith("/bankfeeds.xro/") for call in xero.calls)
