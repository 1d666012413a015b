"""A search for a statement in doubt comes to an end, whatever was doubted before: it is neither repeated nor silent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import pytest

from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import (
    Accepted,
    AlreadyReceived,
    NoAnswer,
    SearchAnswer,
    SearchPlace,
    StatementStatus,
    TenantAccess,
)
from feedlane.statements.resolution import Resolution, resolve
from feedlane.statements.statement import STUCK_AFTER, Doubt
from tests.rights import acting_as
from tests.unit.statements.test_answered_with_500 import BROKEN, statement, stuck
from tests.unit.statements.test_long_pending import pass_time
from tests.worlds.feeds import World, transactions


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
    reasons = [event.payload["reason"] for event in world.events("bankFeeds.statement.stuck")]
    assert reasons == ["notConfirmed", "duplicate"]
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


@pytest.mark.parametrize("answer", [BROKEN, NoAnswer(reason="timed out")], ids=["500", "no answer"])
def test_a_list_that_fails_for_ever_is_asked_for_less_and_less_often_and_told_of(answer: SearchAnswer) -> None:
    world = World()
    world.upstream.answers.append(AlreadyReceived())
    asked: list[object] = []
    world.upstream.find_statement = lambda *_: asked.append(world.now) or answer  # type: ignore[method-assign,func-returns-value]
    operation = world.push(transactions(2))
    pass_time(world, STUCK_AFTER - timedelta(hours=1))
    assert len(asked) < 120
    assert world.events("bankFeeds.statement.stuck") == []
    pass_time(world, timedelta(days=1))
    [event] = world.events("bankFeeds.statement.stuck")
    assert event.payload["reason"] == "notConfirmed"
    del world.upstream.find_statement  # type: ignore[attr-defined]
    world.upstream.taken.append(["t1", "t2"])
    world.upstream.fed.append(world.feed().feed_connection_id)
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=StatementStatus.DELIVERED)
    world.run()
    assert world.operation(operation.key).status is PushStatus.SUCCESS
