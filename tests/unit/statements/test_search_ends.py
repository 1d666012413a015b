"""A search for a statement in doubt comes to an end, whatever was doubted before: it is neither repeated nor silent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from feedlane.feeds import items as feed_items
from feedlane.feeds.upstream import AlreadyReceived, SearchAnswer, SearchPlace, TenantAccess
from feedlane.statements.resolution import Resolution, resolve
from feedlane.statements.statement import Doubt
from tests.rights import acting_as
from tests.unit.statements.test_answered_with_500 import statement, stuck
from tests.unit.statements.test_long_pending import pass_time
from tests.worlds.feeds import World


def counting(world: World) -> list[int]:
    """The pages asked for from now on; Xero lists nothing."""
    asked: list[int] = []

    def find(access: TenantAccess, request: bytes, others: Collection[str], place: SearchPlace) -> SearchAnswer:
        asked.append(place.page)
        return None

    world.upstream.find_statement = find  # type: ignore[method-assign]
    return asked


def test_a_statement_stuck_with_500_that_becomes_a_duplicate_is_looked_for_seldom_and_said_to_be_one() -> None:
    world = stuck()
    asked = counting(world)
    world.upstream.poison["t1"] = AlreadyReceived()
    pass_time(world, timedelta(days=1))
    assert statement(world).doubt is Doubt.DUPLICATE
    assert len(asked) < 40
    del world.upstream.find_statement  # type: ignore[attr-defined]
    world.upstream.poison.clear()
    with acting_as("public_api"):
        resolve(world.ports, world.now, world.feed().id, 1, Resolution.NOT_DELIVERED)
    world.run()
    assert [id.partition("~")[0] for id in world.sent_ids()] == ["t1", "t2", "t3", "t4", "t5"]


def test_a_statement_stuck_with_500_for_a_feed_connection_that_is_replaced_goes_to_the_new_one() -> None:
    world = stuck()
    asked = counting(world)
    world.upstream.poison.clear()
    world.store.commit(feed_items.put_feed(world.feed().but(feed_connection_id="feed-connection-2")))
    pass_time(world, timedelta(hours=3))
    assert len(asked) < 10
    assert world.sent_ids() == ["t1", "t2", "t3", "t4", "t5"]
