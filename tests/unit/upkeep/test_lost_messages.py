"""Whichever message is lost, at whatever moment, the watch brings everything to its end in order, within its time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from unittest.mock import patch

import pytest

from feedlane.feeds import push_operation_end
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import TryLater
from feedlane.scope import Scope
from feedlane.store.due import Kind
from tests.unit.upkeep.lost import LossyWorld
from tests.unit.upkeep.scenarios import SCENARIOS, Scenario, pending_for, put_on_the_queue
from tests.worlds.feeds import transactions


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whatever_is_lost_at_whatever_moment_all_is_delivered_within_twenty_minutes(scenario: Scenario) -> None:
    kinds_lost: set[str] = set()
    for steps in range(16):
        world = LossyWorld()
        scenario(world)
        for _ in range(steps):
            world.step()
        # When all messages on their way are lost
        kinds_lost.update(world.lose_all())
        world.watch(runs=2)
        # Then all is delivered all the same, in order, and each operation has its end, once
        assert world.sent_ids() == ["t1", "t2", "t3"], steps
        assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}, steps
        assert len(world.events("bankTransactions.write.successful")) == 2
        # And nobody comes back for it any more
        world.watch(runs=3)
        assert world.listed() == {}, steps
    assert kinds_lost & {"doorbell", "wake"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nobody_is_rung_while_no_message_is_lost(scenario: Scenario) -> None:
    world = LossyWorld()
    scenario(world)
    assert world.watch(runs=6) == Counter()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert world.listed() == {}


def test_nobody_is_rung_for_a_statement_that_xero_takes_a_day_over() -> None:
    """Its polls go on by themselves, every quarter of an hour."""
    world = LossyWorld()
    put_on_the_queue(world)
    world.upstream.statement_status = pending_for(world, polls=100)
    assert world.watch(runs=144) == Counter()
    assert world.feed().waiting == 0


def test_nobody_is_rung_while_xero_asks_to_wait_for_a_day() -> None:
    world = LossyWorld()
    put_on_the_queue(world)
    world.upstream.answers = [TryLater(scope=Scope.TENANT, seconds=80_000, reason="day")]
    assert world.watch(runs=140) == Counter()
    assert world.sent_ids() == ["t1", "t2", "t3"]


def test_a_poll_that_the_watch_asks_for_is_not_put_off_by_itself() -> None:
    """The watch asks again when the wait is over: no chain of messages grows meanwhile."""
    world = LossyWorld()
    put_on_the_queue(world)
    world.step()
    assert world.lose_all() == ["StatementCheck"]
    real = world.upstream.statement_status
    world.upstream.statement_status = lambda *_: TryLater(scope=Scope.TENANT, seconds=3600, reason="day")
    assert world.watch(runs=2) == {Kind.FEED: 1}
    assert world.lose_all() == []
    world.upstream.statement_status = real
    assert world.watch(runs=3) == Counter()
    assert world.watch(runs=4) == {Kind.FEED: 1}
    assert world.feed().waiting == 0


def test_a_stream_of_pushes_does_not_put_the_look_off() -> None:
    """Behind a statement whose poll is lost, each append sends no message of its own."""
    world = LossyWorld()
    world.record(world.message(transactions(1)))
    world.step()
    assert world.lose_all() == ["StatementCheck"]
    for minute in range(1, 20):
        world.now += timedelta(minutes=1)
        world.record(world.message(transactions(1, start=1 + minute, opening=10.0 * minute)))
        assert world.lose_all() == []
    assert world.ring().rung == {Kind.FEED: 1}
    assert world.lose_all() == ["StatementCheck"]


def test_an_operation_times_out_although_its_check_is_lost() -> None:
    world = LossyWorld()
    operation = world.push(transactions(1), timeout_in_minutes=30)
    world.upstream.statement_status = pending_for(world, polls=100)
    for _ in range(3):
        world.step()
    assert "PushOperationCheck" in world.lose_all()
    world.watch(runs=2)
    assert world.operation(operation.key).status is PushStatus.PENDING
    world.watch(runs=3)
    assert world.operation(operation.key).status is PushStatus.TIMED_OUT


def test_more_operations_than_one_commit_ends_are_ended_although_the_check_is_lost() -> None:
    """They succeed after the delivery: until then the feed stays listed."""
    world = LossyWorld()
    with patch.object(push_operation_end, "OPERATIONS_PER_COMMIT_MAX", 1):
        put_on_the_queue(world)
        with patch.object(push_operation_end, "succeed"):
            world.run()
        assert world.feed().delivered_through == 3
        assert {operation.status for operation in world.operations()} == {PushStatus.PENDING}
        world.watch()
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    world.watch(runs=3)
    assert world.listed() == {}
