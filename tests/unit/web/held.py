"""A connection that needs its customer again, and a feed that waits behind that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feedlane.feed import Feed
from feedlane.hold import Hold, Scope
from feedlane.problem import Problem
from feedlane.reconnection import RECONNECTION_NEEDED
from feedlane.store import ledger
from tests import builders
from tests.builders import NOW
from tests.fakes.consent import ACME
from tests.worlds.web import World

ENDED = Problem(type="x", title="x", status=403)


def hold_connection(world: World, problem: Problem = ENDED, since: datetime = NOW) -> Hold:
    connection = world.connection
    why = {"reason": RECONNECTION_NEEDED, "problem": problem, "company_id": connection.company_id}
    return world.add_hold(Scope.CONNECTION, connection.id, since=since, **why)


def add_feed(world: World, **fields: Any) -> Feed:
    """Of an account that is added with it."""
    account = world.add_account()
    feed = builders.feed(world.connection, account.id, tenant_id=ACME.tenant_id, **fields)
    world.store.commit(ledger.add_feed(feed))
    return feed
