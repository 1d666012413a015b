"""An operator resolves a statement that Xero never ends: no line is lost, none is sent twice, and there is an event."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.errors import Conflict, NotFound
from feedlane.feeds.feed import FlightStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Accepted, StatementStatus
from feedlane.statements import items as statement_items
from feedlane.statements.resolution import Resolution, resolve
from feedlane.statements.statement import STUCK_AFTER, StatementState
from tests.interruptions import crashes_everywhere, just_before
from tests.unit.statements.test_long_pending import ends, pass_time, pending
from tests.worlds.feeds import World, transactions


def stuck() -> World:
    """Two transactions that Xero has taken and keeps PENDING, and one waiting behind them."""
    world = World()
    pending(world)
    pass_time(world, STUCK_AFTER + timedelta(hours=1))
    world.push(transactions(1, start=3, opening=20.0))
    world.step()
    assert world.events("bankFeeds.statement.stuck")
    return world


def resolve_as(world: World, outcome: Resolution, number: int = 1) -> None:
    resolve(world.ports, world.now, world.feed().id, number, outcome)


def forget_at_xero(world: World) -> None:
    """Xero never had the statement, whatever it answered: its transaction ids count as new."""
    world.upstream.taken[0] = []


def test_delivered_ends_its_operations_and_what_waits_goes_on() -> None:
    world = stuck()
    resolve_as(world, Resolution.DELIVERED)
    pass_time(world, timedelta(hours=2))
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    assert world.sent_ids() == ["t1", "t2", "t3"]
    [event] = world.events("bankFeeds.statement.resolved")
    assert (event.payload["statementNumber"], event.payload["outcome"]) == (1, "delivered")
    assert event.payload["statementId"] == "statement-1"
    statement = statement_items.find_statement(world.store, world.feed().id, 1)
    assert statement is not None
    assert (statement.state, statement.resolved_as) == (StatementState.DELIVERED, "delivered")


def test_not_delivered_sends_the_same_bytes_again_under_another_key() -> None:
    world = stuck()
    forget_at_xero(world)
    resolve_as(world, Resolution.NOT_DELIVERED)
    world.run()
    (first_key, first), (second_key, second), *_ = world.upstream.posts
    assert first == second
    assert first_key != second_key
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    assert [event.payload["outcome"] for event in world.events("bankFeeds.statement.resolved")] == ["notDelivered"]


def test_not_delivered_although_xero_has_it_doubles_nothing() -> None:
    """Xero answers that it knows the lines, and the statement is polled until Xero ends it."""
    world = stuck()
    resolve_as(world, Resolution.NOT_DELIVERED)
    pass_time(world, timedelta(hours=1))
    assert world.sent_ids() == ["t1", "t2"]
    assert {operation.status for operation in world.operations()} == {PushStatus.PENDING}
    ends(world, StatementStatus.DELIVERED)
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}


def test_one_that_stays_pending_after_it_was_sent_again_is_reported_again() -> None:
    world = stuck()
    resolve_as(world, Resolution.NOT_DELIVERED)
    pass_time(world, STUCK_AFTER + timedelta(hours=1))
    assert len(world.events("bankFeeds.statement.stuck")) == 2


def test_what_xero_may_still_end_is_not_ended_by_anybody_else() -> None:
    world = World()
    pending(world)
    pass_time(world, STUCK_AFTER - timedelta(hours=1))
    with pytest.raises(Conflict, match="24 hours"):
        resolve_as(world, Resolution.DELIVERED)
    assert world.feed().flight is not None


def test_a_statement_that_is_not_under_way_is_left_alone() -> None:
    world = stuck()
    with pytest.raises(NotFound):
        resolve_as(world, Resolution.DELIVERED, number=2)
    resolve_as(world, Resolution.DELIVERED)
    for outcome in Resolution:
        with pytest.raises(Conflict, match="DELIVERED"):
            resolve_as(world, outcome)
    assert len(world.events("bankFeeds.statement.resolved")) == 1


@pytest.mark.parametrize("outcome", Resolution)
def test_xeros_own_end_at_the_same_moment_counts(outcome: Resolution) -> None:
    world = stuck()

    def xero_ends() -> None:
        world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=StatementStatus.DELIVERED)
        for check in [check for check, _ in world.queues.follow_ups if check.kind == "statement"]:
            world.checks.dispatch(check)

    just_before(world, "commit", xero_ends, touching="bankFeeds.statement.resolved")
    with pytest.raises(Conflict):
        resolve_as(world, outcome)
    world.run()
    assert world.events("bankFeeds.statement.resolved") == []
    assert world.sent_ids() == ["t1", "t2", "t3"]


def test_a_feed_that_grows_at_the_same_moment_is_resolved_all_the_same() -> None:
    world = stuck()
    message = world.message(transactions(1, start=4, opening=30.0))
    just_before(world, "commit", lambda: world.record(message), touching="bankFeeds.statement.resolved")
    resolve_as(world, Resolution.DELIVERED)
    pass_time(world, timedelta(hours=2))
    assert world.sent_ids() == ["t1", "t2", "t3", "t4"]
    assert len(world.events("bankFeeds.statement.resolved")) == 1


@pytest.mark.parametrize("outcome", Resolution)
def test_a_crash_at_any_step_leaves_it_stuck_or_resolved(outcome: Resolution) -> None:
    worlds = 0
    for world in crashes_everywhere(stuck, lambda world: resolve_as(world, outcome)):
        worlds += 1
        flight = world.feed().flight
        is_resolved = flight is None or flight.status is FlightStatus.POSTING
        assert len(world.events("bankFeeds.statement.resolved")) == int(is_resolved)
        if outcome is Resolution.NOT_DELIVERED:
            forget_at_xero(world)
        if not is_resolved:
            resolve_as(world, outcome)
        pass_time(world, timedelta(hours=2))
        assert world.sent_ids() == ["t1", "t2", "t3"]
        assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    assert worlds > 3
