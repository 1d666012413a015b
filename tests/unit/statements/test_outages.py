"""While Xero or the vault is down, each wait is longer than the one before, and none longer than fifteen minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Accepted, StatementStatus, TryLater
from feedlane.scope import Scope
from feedlane.store import keys
from tests.builders import NOW, TENANT
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


LIMIT = TryLater(scope=Scope.TENANT, seconds=1, reason="rate-limit-concurrent")


def test_the_first_outage_after_many_limits_waits_no_longer_than_it_asks() -> None:
    world = World()
    world.upstream.answers = [*[LIMIT] * 12, DOWN]
    key = world.push(transactions(1)).key
    world.run()
    assert world.operation(key).status is PushStatus.SUCCESS
    assert world.now - NOW < timedelta(minutes=2)


def test_the_first_outage_after_many_polls_makes_nobody_wait_longer_than_it_asks() -> None:
    world = World()
    world.push(transactions(1))
    while not world.upstream.taken:
        world.step()
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=StatementStatus.PENDING)
    while world.now < NOW + timedelta(hours=1):
        world.step()
    world.upstream.statuses["statement-1"] = DOWN
    wait = keys.not_before(Scope.TENANT, TENANT)
    while wait not in world.table.items:
        world.step()
    until = datetime.fromisoformat(world.table.items[wait]["until"])
    assert until - world.now <= timedelta(seconds=DOWN.seconds)
