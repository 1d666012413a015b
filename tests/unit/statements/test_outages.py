"""While Xero or the vault is down, each wait is longer than the one before, and none longer than fifteen minutes."""

from __future__ import annotations

from datetime import timedelta

from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import TryLater
from feedlane.scope import Scope
from tests.builders import NOW
from tests.worlds.feeds import World, transactions

DOWN = TryLater(scope=Scope.TENANT, seconds=5, reason="unreachable", is_outage=True)
DAY = timedelta(days=1)
# A day of waits of fifteen minutes, and those before that are shorter. The lowest tier's daily limit is 1,000 calls.
CALLS_IN_A_DAY_MAX = 110


def test_an_outage_of_a_day_costs_a_feed_about_a_hundred_calls_and_its_statement_goes_soon_after() -> None:
    world = World()
    world.upstream.answers = [DOWN] * 10_000
    key = world.push(transactions(3)).key
    while world.now < NOW + DAY:
        assert world.step()
    assert len(world.upstream.posts) < CALLS_IN_A_DAY_MAX
    assert len({request for _, request in world.upstream.posts}) == 1
    up, world.upstream.answers = world.now, []
    world.run()
    assert world.operation(key).status is PushStatus.SUCCESS
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert world.now - up < timedelta(minutes=20)


def test_an_outage_of_a_day_while_a_statement_is_followed_costs_about_a_hundred_calls_too() -> None:
    world = World()
    key = world.push(transactions(3)).key
    while not world.upstream.taken:
        world.step()
    delivered, polls = world.upstream.statuses["statement-1"], [0]
    world.upstream.statuses["statement-1"] = DOWN
    status = world.upstream.statement_status

    def counted(*arguments: object) -> object:
        polls[0] += 1
        return status(*arguments)  # type: ignore[arg-type]

    world.upstream.statement_status = counted  # type: ignore[method-assign,assignment]
    while world.now < NOW + DAY:
        assert world.step()
    assert polls[0] < CALLS_IN_A_DAY_MAX
    up, world.upstream.statuses["statement-1"] = world.now, delivered
    world.run()
    assert world.operation(key).status is PushStatus.SUCCESS
    assert world.now - up < timedelta(minutes=20)
