"""A connection that needs its customer again, and a feed that waits behind that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feedlane.feed import Feed
from feedlane.hold import Hold, Scope
from feedlane.problem import Problem
from feedlane.reconnection import RECONNECTION_NEEDED
from feedlane.store import ledger
from tests.worlds.web import ACME, NOW, World

ENDED = Problem(type="x", title="x", status=403)


def hold_connection(world: World, problem: Problem = ENDED, since: datetime = NOW) -> Hold:
    hold = Hold(
        id="h",
        scope=Scope.CONNECTION,
        subject=world.connection.id,
        reason=RECONNECTION_NEEDED,
        problem=problem,
        since=since,
        company_id=world.connection.company_id,
    )
    world.store.commit(world.store.add_hold(hold))
    return hold


def add_feed(world: World, **fields: Any) -> Feed:
    """Of an account that is added with it."""
    account = world.add_account()
    feed = Feed(
        id=f"{world.connection.id}/{account.id}",
        company_id=world.connection.company_id,
        connection_id=world.connection.id,
        account_id=account.id,
        tenant_id=ACME.tenant_id,
        feed_connection_id="fc",
        currency="GBP",
        created=world.site.time,
        **fields,
    )
    world.store.commit(ledger.add_feed(feed))
    return feed
