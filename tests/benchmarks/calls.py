"""Calls to Xero for 5,000 messages of one transaction each, over 5 feeds of one tenant, under Xero's own limits.

The floor is the fewest calls that can deliver them: one POST for every 1,000 lines of a feed, the most that a statement
takes, and the one call that each statement needs to be known as delivered. That is 10 calls. It takes a sender that has
all messages before it sends any.

The messages wait on the queue when the first is taken, as after an outage. Everything else is the product's own code
and the simulator's: the real Xero client, the shared count of calls, Xero's limits (60 a minute, 5 at once). A call
that is refused with a 429 counts. Time is simulated (`simulated.py`).

The plain loop posts each message as a statement of its own, waits as long as a 429 tells it to, and never asks what
became of a statement: a loop that did would make twice the calls.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import lru_cache
from typing import Any

from feedlane.money import loads
from feedlane.statement import MOST_LINES, statement_of
from feedlane.store import ledger
from feedlane.transaction import line_of
from feedlane.upstream import Accepted, TenantAccess, TryLater
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
# What a call takes in the plain loop.
CALL = timedelta(seconds=0.3)


def run() -> list[Figure]:
    fewest = len(FEEDS) * -(-len(rows()) // MOST_LINES) * 2
    floor = f"{fewest} calls: a statement for every {MOST_LINES:,} lines, asked for once"
    return [
        Figure("calls_ratio", feedlane() / fewest, floor, at_most=1.2),
        Figure("calls_loop_ratio", plain_loop() / fewest, floor),
    ]


@lru_cache(maxsize=1)
def rows() -> list[dict[str, Any]]:
    """The messages of one feed; all feeds have the same."""
    return transactions(MESSAGES // len(FEEDS), last_day=NOW.date())


def feedlane() -> int:
    world, xero = given()
    deployment = Deployment(world, QuickTable(), simulator.upstream(xero, world.clock))
    for row in rows():
        for account in FEEDS:
            message = world.message([row], account)
            deployment.push(message.group, message.id, message.body)
    deployment.run()
    require_all_delivered(xero)
    return calls_in(xero)


def plain_loop() -> int:
    world, xero = given()
    upstream = simulator.upstream(xero, world.clock)
    access = TenantAccess(tenant_id=TENANT, token_set_id="tokens-1")
    for row in loads(json.dumps(rows())):
        line, _, _ = line_of(0, row)
        assert line is not None
        for account in FEEDS:
            request = upstream.request_bytes(statement_of(fixed_id(account), [line]))
            answer: Any = None
            while not isinstance(answer, Accepted):
                answer = upstream.post_statement(access, request, f"{account} {line.id}")
                world.now += CALL
                if isinstance(answer, TryLater):
                    world.now += timedelta(seconds=answer.seconds)
    world.now += timedelta(minutes=1)
    require_all_delivered(xero)
    return calls_in(xero)


def given() -> tuple[World, Simulator]:
    world = World(FEEDS)
    for account in FEEDS:
        world.store.commit(ledger.put_feed(world.feed(account).but(feed_connection_id=fixed_id(account))))
    return world, simulator.linked(world.clock, {TENANT: [fixed_id(account) for account in FEEDS]})


def require_all_delivered(xero: Simulator) -> None:
    """Each feed got every transaction once, in order."""
    wanted = [row["id"] for row in rows()]
    for account in FEEDS:
        statements = [one for one in xero.statements.values() if one.feed_connection_id == fixed_id(account)]
        assert all(one.status(xero.now()) == "DELIVERED" for one in statements), account
        got = [line["transactionId"] for one in statements for line in one.received["statementLines"]]
        assert got == wanted, f"{account}: {len(got)} of {len(wanted)} lines, or another order"


def calls_in(xero: Simulator) -> int:
    return sum(call.path.startswith("/bankfeeds.xro/") for call in xero.calls)
