"""A feed with thousands of lines set aside: its head stays small, and everything still ends right."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedlane.errors import Invalid
from feedlane.feeds import set_aside_items
from feedlane.feeds.feed import SetAside
from feedlane.feeds.set_aside_items import BLOCK_LINES, lines_never_sent, read_set_aside
from feedlane.holds import items as hold_items
from feedlane.holds.setting_aside import SET_ASIDE_MAX, set_aside, with_lines_set_aside
from feedlane.pushes.outcomes import outcome_page
from feedlane.store import keys
from feedlane.store.sizes import item_bytes
from tests.fakes.upstream import REJECTED
from tests.hold_actions import lift
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions

ROUNDS = 4


def long_id(number: int) -> str:
    """As long and as large as an id may be."""
    return f"{number:05d}".ljust(255, "语")


@pytest.fixture
def world() -> World:
    """Of each thousand lines, Xero takes only the first."""
    world = World()
    for turn in range(ROUNDS):
        start = turn * 1000 + 1
        rows = transactions(1000, start=start, opening=10.0 * (start - 1))
        rows = [row | {"id": long_id(start + place)} for place, row in enumerate(rows)]
        world.upstream.answers.append(REJECTED)
        world.push(rows)
        world.run()
        [hold] = hold_items.holds(world.store)
        [operation] = lift(world, hold, [row["id"] for row in rows[1:]])
        assert operation.transactions == 1
        world.run()
        assert world.operation(operation.key).status == "Success"
    return world


def test_the_head_stays_small_however_many_lines_are_set_aside(world: World) -> None:
    feed = world.feed()
    assert (feed.set_aside, feed.set_aside_ahead, feed.waiting) == (ROUNDS * 999, 0, 0)
    assert item_bytes(world.table.items[keys.feed(feed.id)]) < 1_500
    assert len(list(read_set_aside(world.store, feed.id))) == ROUNDS * 999
    assert world.sent_ids() == [long_id(1000 * turn + 1) for turn in range(ROUNDS)]


def test_a_repeat_of_what_was_set_aside_under_a_hold_that_stands_ends() -> None:
    """Nothing is left to deliver, so no delivery would end the operation of the repeat."""
    world = World()
    world.upstream.answers.append(REJECTED)
    rows = transactions(3)
    world.push(rows)
    world.run()
    [hold] = hold_items.holds(world.store)
    with acting_as("public_api"):
        after = set_aside(world.ports, world.now, world.feed().id, [row["id"] for row in rows])
    assert (after.waiting, after.set_aside_ahead, after.delivered_through) == (0, 0, 3)
    world.record(world.message(rows))
    world.run()
    assert [operation.status for operation in world.operations()].count("Pending") == 0
    assert [standing.id for standing in hold_items.holds(world.store)] == [hold.id]
    assert world.sent_ids() == []


def test_a_push_after_them_reads_none_of_their_pages(world: World) -> None:
    pages = {key for key in world.table.items if key[1].startswith("ASIDE#")}
    for key in pages:
        del world.table.items[key]
    world.push(transactions(1, start=ROUNDS * 1000 + 1, opening=10.0 * ROUNDS * 1000))
    world.run()
    assert world.sent_ids()[-1] == f"t{ROUNDS * 1000 + 1}"


def test_the_event_names_a_hundred_and_counts_all(world: World) -> None:
    for event in world.events("bankFeeds.released"):
        assert (len(event.payload["setAside"]), event.payload["setAsideCount"]) == (100, 999)


def test_a_release_takes_a_thousand_and_says_so(world: World) -> None:
    start = ROUNDS * 1000 + 1
    world.upstream.answers.append(REJECTED)
    world.push(transactions(2, start=start, opening=10.0 * (start - 1)))
    world.run()
    [hold] = hold_items.holds(world.store)
    with pytest.raises(Invalid, match=str(SET_ASIDE_MAX)):
        lift(world, hold, [f"t{number}" for number in range(SET_ASIDE_MAX + 1)])


def test_overlapping_releases_keep_apart_what_each_has_set_aside() -> None:
    world = World()
    world.upstream.answers += [REJECTED, REJECTED, REJECTED]
    world.push(transactions(8))
    world.run()
    keys_of_releases = []
    for ids in (["t3", "t7"], ["t5", "t3"], ["t1", "t2"]):
        [hold] = hold_items.holds(world.store)
        [operation] = lift(world, hold, ids)
        keys_of_releases.append(operation.key)
        world.run()
    assert world.sent_ids() == ["t4", "t6", "t8"]
    assert (world.feed().set_aside, world.feed().set_aside_ahead) == (5, 0)
    with acting_as("public_api"):
        found = [outcome_page(world.store, world.operation(key), 0, 100) for key in keys_of_releases]
    ids = [[outcome.id for outcome in page.outcomes] for page in found]
    assert ids == [["t1", "t2", "t4", "t5", "t6", "t8"], ["t1", "t2", "t4", "t6", "t8"], ["t4", "t6", "t8"]]


def test_a_statement_reads_only_the_pages_near_it_however_many_lines_are_set_aside_ahead() -> None:
    """Of 100,000 waiting lines every second one is set aside."""
    world = World()
    feed = world.feed().but(recorded_through=100_000)
    lines = [SetAside(sequence=number, transaction_id=f"t{number}", on=world.now) for number in range(2, 100_001, 2)]
    for start in range(0, len(lines), 1000):
        feed, pages = with_lines_set_aside(feed, lines[start : start + 1000])
        world.store.commit(*pages)
    assert feed.set_aside_ahead == 50_000
    before = world.table.reads.items
    near = lines_never_sent(world.store, feed)
    assert {number for number in near if number <= 1001} == set(range(2, 1001, 2))
    assert world.table.reads.items - before <= BLOCK_LINES // 1000
    # A delivery reads the same, and counts what it passes
    after = feed.delivered(1, lines_never_sent(world.store, feed, 1))
    assert (after.delivered_through, after.set_aside_ahead) == (2, 49_999)


def test_a_run_of_lines_set_aside_is_passed_at_once_however_long() -> None:
    world = World()
    feed = world.feed().but(recorded_through=50_002)
    lines = [SetAside(sequence=number, transaction_id=f"t{number}", on=world.now) for number in range(2, 50_002)]
    for start in range(0, len(lines), 1000):
        feed, pages = with_lines_set_aside(feed, lines[start : start + 1000])
        world.store.commit(*pages)
    after = feed.delivered(1, lines_never_sent(world.store, feed, 1))
    assert (after.delivered_through, after.set_aside_ahead, after.waiting) == (50_001, 0, 1)


@given(st.sets(st.integers(1, 60)), st.integers(0, 20), st.integers(0, 20))
def test_what_is_read_near_a_statement_is_what_reading_everything_would_say(
    aside: set[int], delivered: int, more: int
) -> None:
    world = World()
    feed, ahead = world.feed().but(recorded_through=60, delivered_through=delivered), sorted(aside)
    ahead = [number for number in ahead if number > delivered]
    with patch.multiple(set_aside_items, BLOCK_LINES=7, STATEMENT_LINES_MAX=5):
        lines = [SetAside(sequence=number, transaction_id=f"t{number}", on=world.now) for number in ahead]
        feed, pages = with_lines_set_aside(feed, lines)
        if pages:
            world.store.commit(*pages)
        through = min(60, delivered + more)
        near = lines_never_sent(world.store, feed, through)
        assert feed.delivered(through, near) == feed.delivered(through, set(ahead))
        assert feed.passed_through(lines_never_sent(world.store, feed)) == feed.passed_through(set(ahead))
