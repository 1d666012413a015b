"""Each retry and each poll of an unfinished statement records its age: an alarm watches the oldest."""

from __future__ import annotations

import itertools
from datetime import timedelta

from feedlane.feeds.upstream import Accepted, NoAnswer, StatementStatus
from feedlane.statements.sender import Sender
from feedlane.wiring.checks import Checks
from tests.rights import acting
from tests.worlds.feeds import World, transactions


def watched() -> tuple[World, list[timedelta]]:
    world, ages = World(), list[timedelta]()
    world.sender = acting("push_statements", Sender(world.ports, world.upstream, ages.append))
    world.checks = acting("check_statements", Checks(world.ports, world.upstream, ages.append))
    return world, ages


def test_a_statement_that_xero_does_not_end_is_told_of_with_its_age_at_every_look() -> None:
    world, ages = watched()
    world.push(transactions(2))
    world.step()
    started = world.now
    world.step()
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=StatementStatus.PENDING)
    for _ in range(30):
        world.step()
    assert ages[-1] > timedelta(hours=4)
    assert ages[-1] == world.now - started
    assert max(later - before for before, later in itertools.pairwise(ages)) <= timedelta(minutes=15)


def test_a_statement_that_xero_does_not_take_is_told_of_with_its_age_at_every_try() -> None:
    world, ages = watched()
    world.upstream.answers += [NoAnswer(reason="timed out")] * 5
    world.push(transactions(2))
    world.run()
    assert len(world.upstream.posts) == 6
    retry_ages = ages[:5]
    assert retry_ages == sorted(retry_ages)
    assert retry_ages[0] > timedelta()


def test_one_that_is_delivered_is_told_of_no_more() -> None:
    world, ages = watched()
    world.push(transactions(2))
    world.run()
    ages.clear()
    world.now += timedelta(days=1)
    world.push(transactions(2))
    world.run()
    assert ages == []
