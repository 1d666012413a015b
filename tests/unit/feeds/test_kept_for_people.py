"""What a feed keeps for people to see, in the commits of what it is about: its gaps, and what was delivered when."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feedlane.feeds import gap_items
from feedlane.statements import items as statement_items
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World()


def test_a_push_with_a_gap_leaves_it_with_the_feed_and_one_without_leaves_none(world: World) -> None:
    world.push(transactions(3))
    world.run()
    assert world.feed().gaps == 0
    pushed = world.push(transactions(2, start=4, opening=500.0))
    world.run()
    [push] = gap_items.newest_gaps(world.store, world.feed().id, 10)
    [gap] = push.gaps
    assert (push.operation_key, push.count, gap.line, gap.transaction_id) == (pushed.key, 1, 4, "t4")
    assert (gap.expected_balance, gap.given_balance) == (gap.given_balance - gap.difference, gap.given_balance)
    assert (world.feed().gaps, gap.after <= gap.before) == (1, True)


def test_the_same_push_again_leaves_no_second_gap(world: World) -> None:
    world.push(transactions(3))
    message = world.message(transactions(2, start=4, opening=500.0))
    world.record(message)
    world.record(message)
    world.run()
    assert len(gap_items.newest_gaps(world.store, world.feed().id, 10)) == world.feed().gaps == 1


def test_a_delivery_says_when_it_was_and_a_statement_with_what_it_opens(world: World) -> None:
    world.push(transactions(3))
    assert world.feed().delivered_on is None
    world.run()
    feed = world.feed()
    statement = statement_items.find_statement(world.store, feed.id, 1)
    assert statement is not None
    assert feed.delivered_on == statement.ended_on
    assert statement.start_balance is not None
    assert statement.end_balance is not None
    assert statement.end_balance - statement.start_balance == sum(
        (Decimal(str(line["amount"])) for line in transactions(3)), Decimal(0)
    )
