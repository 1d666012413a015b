"""The doorbell of a push: a crash between commit and doorbell is repaired, even if the sender never retries."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from feedlane.feeds.push_operation import Door, PushStatus
from feedlane.follow_ups import PushOperationCheck
from feedlane.pushes import doorbell
from feedlane.pushes.api_door import accept
from tests.builders import ACCOUNT, COMPANY, CONNECTION, NOW
from tests.interruptions import Crashed, crashes_everywhere
from tests.worlds.feeds import World, transactions

REPAIR_TIME_MAX = timedelta(minutes=2)


@pytest.fixture
def world() -> World:
    return World()


def accept_push(world: World, count: int = 2, timeout: int | None = None) -> None:
    """Accepts a push as the API does, and keeps every message that it sends."""
    body = json.dumps({"accountId": ACCOUNT, "transactions": transactions(count)})
    accept(world.ports, world.now, COMPANY, CONNECTION, ACCOUNT, body, timeout)


def crash_before_doorbell(world: World) -> None:
    def push(*arguments: object) -> None:
        del world.queues.push  # type: ignore[method-assign]
        raise Crashed

    world.queues.push = push  # type: ignore[method-assign]


def test_a_crash_before_the_doorbell_is_made_good_without_its_sender(world: World) -> None:
    crash_before_doorbell(world)
    with pytest.raises(Crashed):
        accept_push(world)
    [operation] = world.operations()
    assert (operation.status, world.queues.pushed) == (PushStatus.PENDING, [])
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert world.now - NOW < REPAIR_TIME_MAX


def test_a_crash_anywhere_leaves_a_push_that_was_not_written_or_one_that_is_delivered() -> None:
    written = 0
    for world in crashes_everywhere(World, accept_push):
        world.run()
        written += len(world.operations())
        assert all(operation.status is PushStatus.SUCCESS for operation in world.operations())
        assert world.sent_ids() == (["t1", "t2"] if world.operations() else [])
    assert written > 1


def test_the_promise_is_made_before_anything_is_written(world: World) -> None:
    def commit(*writes: object) -> None:
        raise Crashed

    world.store.table.commit = commit  # type: ignore[method-assign]
    with pytest.raises(Crashed):
        accept_push(world)
    [(check, delay)] = world.queues.follow_ups
    assert isinstance(check, PushOperationCheck)
    assert delay == doorbell.CHECK_DELAY_SECONDS
    world.checks.dispatch(check)
    assert world.queues.pushed == []
    assert len(world.queues.follow_ups) == 1


def test_one_that_was_rung_for_is_not_recorded_twice(world: World) -> None:
    accept_push(world)
    [(check, _)] = world.queues.follow_ups
    assert isinstance(check, PushOperationCheck)
    world.checks.dispatch(check)
    assert [sent["id"] for sent in world.queues.pushed] == 2 * [check.operation_key]
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert world.feed().recorded_through == 2
    assert [operation.status for operation in world.operations()] == [PushStatus.SUCCESS]


def test_one_in_the_ledger_or_ended_is_not_rung_for(world: World) -> None:
    accept_push(world)
    check = world.queues.follow_ups[0][0]
    world.step()
    world.queues.take("pushed")
    world.checks.dispatch(check)
    assert world.queues.pushed == []
    world.run()
    world.checks.dispatch(check)
    assert world.queues.pushed == []


def test_what_came_through_the_queue_has_no_doorbell(world: World) -> None:
    world.record(world.message(transactions(1)))
    [operation] = world.operations()
    assert operation.door is Door.QUEUE
    world.checks.dispatch(PushOperationCheck(feed_id=world.feed().id, operation_key=operation.key, company_id=COMPANY))
    assert world.queues.pushed == []


def test_a_push_with_a_time_has_one_message_that_watches_both(world: World) -> None:
    accept_push(world, timeout=30)
    [(check, delay)] = world.queues.follow_ups
    assert isinstance(check, PushOperationCheck)
    assert delay == doorbell.CHECK_DELAY_SECONDS
    world.queues.take("pushed")
    world.store.table.query = lambda *arguments, **options: []  # type: ignore[method-assign,assignment]
    while world.now < NOW + timedelta(minutes=31) and world.queues.follow_ups:
        check, delay = world.queues.follow_ups.pop(0)
        assert delay <= 900
        world.now += timedelta(seconds=delay)
        world.checks.dispatch(check)
    del world.store.table.query  # type: ignore[method-assign]
    [operation] = world.operations()
    assert operation.status is PushStatus.TIMED_OUT
    assert world.now - NOW < timedelta(minutes=31)


def test_one_that_crashed_with_a_time_is_rung_for_and_in_time(world: World) -> None:
    crash_before_doorbell(world)
    with pytest.raises(Crashed):
        accept_push(world, timeout=5)
    world.run()
    assert [operation.status for operation in world.operations()] == [PushStatus.SUCCESS]
