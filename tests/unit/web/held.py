"""A connection that its customer must reconnect, and a feed held by that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feedlane.companies.reconnection import RECONNECTION_NEEDED
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.holds.hold import Hold
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests import builders
from tests.builders import NOW
from tests.fakes.consent import ACME
from tests.worlds.web import World

ENDED = Problem(type="x", title="x", status=403)


def hold_connection(world: World, problem: Problem = ENDED, since: datetime = NOW) -> Hold:
    connection = world.connection
    fields = {"reason": RECONNECTION_NEEDED, "problem": problem, "company_id": connection.company_id}
    return world.add_hold(Scope.CONNECTION, connection.id, since=since, **fields)


def add_feed(world: World, **fields: Any) -> Feed:
    """A feed with a new account of its own."""
    account = world.add_account()
    feed = builders.feed(world.connection, account.id, tenant_id=ACME.tenant_id, **fields)
    world.store.commit(feed_items.add_feed(feed))
    return feed
