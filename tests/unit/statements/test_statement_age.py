"""Whoever looks at a statement that has no end yet tells how old it is: an alarm watches the oldest."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

from feedlane.feeds.upstream import Accepted, NoAnswer, StatementStatus
from tests.worlds.feeds import World, transactions


def watched() -> tuple[World, list[timedelta]]:
    world, told = World(), list[timedelta]()
    world.sender = replace(world.sender, record_age=told.append)
    world.checks = replace(world.checks, record_age=told.append)
    return world, told


def test_a_statement_that_xero_does_not_end_is_told_of_with_its_age_at_every_look() -> None:
    world, told = watched()
    world.push(transactions(2))
    world.step()
    started = world.now
    world.step()
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=StatementStatus.PENDING)
    for _ in range(30):
        world.step()
    assert told[-1] > timedelta(hours=4)
    assert told[-1] == world.now - started
    assert max(later - before for before, later in itertools.pairwise(told)) <= timedelta(minutes=15)


def test_a_statement_that_xero_does_not_take_is_told_of_with_its_age_at_every_try() -> None:
    world, told = watched()
    world.upstream.answers += [NoAnswer(reason="timed out")] * 5
    world.push(transactions(2))
    world.run()
    assert len(world.upstream.posts) == 6
    tried_again = told[:5]
    assert tried_again == sorted(tried_again)
    assert tried_again[0] > timedelta()


def test_one_that_is_delivered_is_told_of_no_more() -> None:
    world, told = watched()
    world.push(transactions(2))
    world.run()
    told.clear()
    world.now += timedelta(days=1)
    world.push(transactions(2))
    world.run()
    assert told == []
