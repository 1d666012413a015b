"""What waits and what is delivered each day is counted in the commits that record, deliver and set aside."""

from __future__ import annotations

from feedlane.feeds import totals
from feedlane.holds.setting_aside import set_aside
from feedlane.scope import Scope
from tests.worlds.feeds import World, transactions


def test_what_waits_and_what_was_delivered_is_counted() -> None:
    world = World()
    world.push(transactions(3))
    world.record(*world.take_pushed())
    assert totals.waiting_transactions(world.store) == 3
    world.run()
    assert totals.waiting_transactions(world.store) == 0
    days = totals.delivered_by_day(world.store, world.now, 30)
    assert len(days) == 30
    assert (days[-1].day, days[-1].transactions, days[-1].statements) == (world.now.date().isoformat(), 3, 1)
    assert sum(day.transactions for day in days[:-1]) == 0


def test_what_is_set_aside_waits_no_longer_and_was_not_delivered() -> None:
    world = World()
    world.record(world.message(transactions(3)))
    feed = world.feed()
    world.add_hold(Scope.FEED, feed.id)
    set_aside(world.ports, world.now, feed.id, ["t2"])
    assert totals.waiting_transactions(world.store) == world.feed().waiting == 2


def test_many_feeds_share_few_counters() -> None:
    world = World()
    world.push(transactions(2))
    world.run()
    listed = [key for key in world.table.items if key[0] == "FEED#totals"]
    assert 0 < len(listed) <= 2 * totals.SHARDS
