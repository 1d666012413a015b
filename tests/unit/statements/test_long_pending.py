"""Statements that Xero ends hours later, or never: they are polled to the end, and reported once as stuck."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Accepted, StatementStatus, TryLater
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.statements import items as statement_items
from feedlane.statements import overdue
from feedlane.statements.statement import STUCK_AFTER, StatementState
from feedlane.store import keys
from feedlane.store.due import NOTHING_LEFT
from tests.builders import COMPANY, NOW
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions

POLLS_PER_HOUR_MAX = 15
REJECTION = Problem(type="invalid-request", title="Invalid Request", status=400, detail="A line is wrong.")


@pytest.fixture
def world() -> World:
    return World()


def pending(world: World, count: int = 2) -> str:
    """Makes a push whose statement Xero has taken and keeps PENDING. Returns the operation's key."""
    operation = world.push(transactions(count))
    while not world.upstream.taken:
        world.step()
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=StatementStatus.PENDING)
    return operation.key


def pass_time(world: World, duration: timedelta) -> int:
    """Handles the messages that are due in this time. Returns their number."""
    until, steps = world.now + duration, 0
    while world.now < until and world.step():
        steps += 1
    return steps


def ends(world: World, status: StatementStatus, *problems: Problem) -> None:
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=status, problems=problems)


def test_a_statement_delivered_hours_later_succeeds_and_what_came_meanwhile_goes_next(world: World) -> None:
    key = pending(world)
    pass_time(world, timedelta(hours=5))
    later = world.push(transactions(1, start=3, opening=20.0))
    pass_time(world, timedelta(hours=5))
    assert world.operation(key).status is PushStatus.PENDING
    assert world.sent_ids() == ["t1", "t2"]
    ends(world, StatementStatus.DELIVERED)
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert {world.operation(operation_key).status for operation_key in (key, later.key)} == {PushStatus.SUCCESS}
    assert world.events("bankFeeds.statement.stuck") == []


def test_a_statement_rejected_hours_later_holds_its_feed_with_the_reason_and_nothing_behind_it_goes(
    world: World,
) -> None:
    key = pending(world)
    pass_time(world, timedelta(hours=10))
    later = world.push(transactions(1, start=3, opening=20.0))
    ends(world, StatementStatus.REJECTED, REJECTION)
    world.run()
    [hold] = hold_items.holds(world.store)
    assert (hold.subject, hold.problem) == (world.feed().id, REJECTION)
    for operation in (world.operation(key), world.operation(later.key)):
        assert (operation.status, operation.problem) == (PushStatus.FAILED, REJECTION)
    assert world.sent_ids() == ["t1", "t2"]
    assert world.feed().delivered_through == 0


@pytest.mark.parametrize("lines", [None, 1])
def test_a_statement_that_nobody_is_left_to_resolve_is_polled_no_more(world: World, lines: int | None) -> None:
    """Its company was deleted. Until then, what Xero says of it is still recorded."""
    pending(world)
    if lines is not None:
        status = Accepted(statement_id="statement-1", status=StatementStatus.DELIVERED, lines=lines)
        world.upstream.statuses["statement-1"] = status
    pass_time(world, timedelta(hours=2))
    world.store.table.delete_many([keys.company(COMPANY)])
    pass_time(world, timedelta(hours=30))
    assert world.queues.follow_ups == []
    with acting_as("tend_connections"):
        item = world.table.items[keys.feed(world.feed().id)]
        assert overdue.look(world.ports, world.now, item) == NOTHING_LEFT
    assert world.queues.follow_ups == []


def test_looking_costs_little_the_longer_it_takes(world: World) -> None:
    pending(world)
    pass_time(world, timedelta(hours=2))
    assert pass_time(world, timedelta(hours=3)) <= 3 * POLLS_PER_HOUR_MAX


def test_a_statement_that_never_leaves_pending_is_reported_once_and_followed_on(world: World) -> None:
    key = pending(world)
    pass_time(world, STUCK_AFTER - timedelta(hours=1))
    assert world.events("bankFeeds.statement.stuck") == []
    pass_time(world, timedelta(days=5))
    [event] = world.events("bankFeeds.statement.stuck")
    assert event.payload["statementId"] == "statement-1"
    assert event.time - NOW < STUCK_AFTER + timedelta(hours=1)
    assert world.operation(key).status is PushStatus.PENDING
    ends(world, StatementStatus.DELIVERED)
    world.run()
    assert world.operation(key).status is PushStatus.SUCCESS


def test_an_outage_while_it_is_followed_is_waited_out(world: World) -> None:
    key = pending(world)
    world.upstream.statuses["statement-1"] = TryLater(scope=Scope.TENANT, seconds=7200, reason="outage")
    pass_time(world, timedelta(hours=1))
    ends(world, StatementStatus.DELIVERED)
    world.run()
    assert world.operation(key).status is PushStatus.SUCCESS
    assert hold_items.holds(world.store) == []


def test_one_that_is_rejected_after_it_was_reported_is_in_doubt_no_more(world: World) -> None:
    pending(world)
    pass_time(world, STUCK_AFTER + timedelta(hours=1))
    assert world.events("bankFeeds.statement.stuck")
    ends(world, StatementStatus.REJECTED, REJECTION)
    world.run()
    record = statement_items.find_statement(world.store, world.feed().id, 1)
    assert record is not None
    assert (record.state, record.stuck, record.doubt) == (StatementState.REJECTED, False, None)
