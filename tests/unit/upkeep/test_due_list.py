"""Who is in the list of what is due, how long, and how often the watch rings for it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from unittest.mock import patch

from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.store.due import Kind, due_keys
from feedlane.store.table import Put
from feedlane.upkeep import overdue
from tests.builders import COMPANY, CONNECTION
from tests.unit.upkeep.lost import LossyWorld
from tests.unit.upkeep.scenarios import put_on_the_queue
from tests.worlds.feeds import transactions


def test_what_belongs_to_a_deleted_company_leaves_the_list() -> None:
    world = LossyWorld()
    world.push(transactions(1))
    world.record(world.message(transactions(1)))
    world.lose_all()
    company = company_items.company(world.store, COMPANY)
    world.store.commit(company_items.remove_company(company))
    assert world.watch() == Counter()
    assert world.listed() == {}


def test_a_look_that_is_overtaken_by_a_change_takes_nothing_from_the_list() -> None:
    """The watch finds an idle feed, and lines are appended before it takes the feed from the list."""
    world = LossyWorld()
    feed = world.feed()
    world.store.commit(feed_items.put_feed(feed.but(look=world.now)))
    real = world.store.table.commit

    def append_first(*writes: object) -> None:
        world.store.table.commit = real
        world.record(world.message(transactions(1)))
        world.lose_all()
        real(*writes)

    world.store.table.commit = append_first  # type: ignore[method-assign]
    world.now += timedelta(minutes=10)
    world.ring()
    assert list(world.listed()) == [f"FEED#{feed.id}/FEED"]
    world.watch()
    assert world.sent_ids() == ["t1"]


def test_one_run_does_what_it_has_time_for_and_the_next_the_rest() -> None:
    accounts = tuple(f"account-{number:02d}" for number in range(12))
    world = LossyWorld(accounts)
    for number, account in enumerate(accounts):
        world.record(world.message([row | {"id": account} for row in transactions(1)], account))
        world.now += timedelta(minutes=5 * (number % 2))
    world.lose_all()
    world.now += timedelta(hours=1)
    with patch.object(overdue, "LOOKS_MAX", 4):
        rung = [world.ring().rung[Kind.FEED] for _ in range(4)]
    assert rung == [4, 4, 4, 0]
    # The longest overdue come first
    assert {*world.queues.woken[:4]} == {f"{CONNECTION}/{account}" for account in accounts[:4]}


def test_who_does_not_come_is_rung_less_and_less_often_and_never_less_than_every_hour() -> None:
    """A function is down for a day: the queue keeps every ring."""
    world = LossyWorld()
    put_on_the_queue(world)
    world.lose_all()
    rung = [bool(_ring_after_ten_minutes(world)) for _ in range(144)]
    assert len(world.queues.woken) == sum(rung) < 30
    times = [number for number, is_rung in enumerate(rung) if is_rung]
    assert max(after - before for before, after in pairwise(times)) <= 7
    # Who has come on is looked at soon again
    world.step()
    world.lose_all()
    assert world.watch(runs=2)
    assert world.sent_ids() == ["t1", "t2", "t3"]


def test_the_doorbell_of_a_push_is_rung_less_and_less_often_too() -> None:
    world = LossyWorld()
    world.push(transactions(1))
    world.lose_all()
    assert sum(_ring_after_ten_minutes(world) for _ in range(144)) < 30


def _ring_after_ten_minutes(world: LossyWorld) -> int:
    world.now += timedelta(minutes=10)
    return world.ring().rung.total()


def test_what_cannot_be_looked_at_stops_nobody_else() -> None:
    world = LossyWorld()
    due_long_ago = due_keys(Kind.FEED, "broken", world.now - timedelta(hours=1))
    world.store.commit(Put({"pk": "FEED#broken", "sk": "FEED", **due_long_ago}))
    put_on_the_queue(world)
    world.lose_all()
    world.now += timedelta(minutes=10)
    looks = world.ring()
    assert (looks.failed, looks.rung[Kind.FEED]) == (["FEED#broken/FEED: ValidationError"], 1)
    assert world.listed()["FEED#broken/FEED"] > f"{world.now:%Y-%m-%dT%H:%M}"


def test_an_idle_feed_is_not_listed() -> None:
    world = LossyWorld()
    assert world.listed() == {}
    world.push(transactions(3))
    assert list(world.listed()) == [f"COMPANY#{COMPANY}/PUSH#{world.operations()[0].key}"]
    world.step()
    assert list(world.listed()) == [f"FEED#{world.feed().id}/FEED"]
    world.run()
    assert world.listed() == {}


def test_a_busy_feed_keeps_its_place_in_the_list() -> None:
    """Two hundred pushes and as many statements within ten minutes."""
    world = LossyWorld()
    world.record(world.message(transactions(1)))
    places = {next(iter(world.listed().values()))}
    for number in range(1, 200):
        world.record(world.message(transactions(1, start=1 + number, opening=10.0 * number)))
        world.step()
        places |= set(world.listed().values())
        world.now += timedelta(seconds=2)
    assert world.now - timedelta(seconds=SAFETY_DELAY_SECONDS) < world.feed().created + timedelta(minutes=12)
    assert len(places) <= 3
