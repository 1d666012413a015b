"""While more messages wait on the queue, a statement waits for them: a backlog takes as few calls as possible."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.feeds.gathering import GATHERING_WAIT, GATHERING_WAIT_MAX
from feedlane.feeds.push_operation import PushStatus
from feedlane.pushes.message import BATCH_SIZE_MAX, QueueMessage
from tests.builders import ACCOUNT
from tests.fakes.upstream import NO_FEEDS
from tests.hold_actions import hold_app
from tests.interruptions import just_before
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World()


def batch(world: World, number: int, account: str = ACCOUNT) -> list[QueueMessage]:
    """The messages of one full batch, one transaction each."""
    first = number * BATCH_SIZE_MAX + 1
    return [
        world.message(transactions(1, n, opening=10.0 * (n - 1)), account) for n in range(first, first + BATCH_SIZE_MAX)
    ]


def lengths(world: World) -> list[int]:
    return [len(statement) for statement in world.upstream.taken]


def send(world: World) -> None:
    """Handles all wake-ups, but no delayed message."""
    while world.queues.woken:
        world.sender.send(world.queues.woken.pop(0))


def test_a_statement_waits_while_more_messages_wait_behind_it(world: World) -> None:
    world.record(*batch(world, 0), more_to_come=True)
    send(world)
    assert lengths(world) == []
    world.record(*batch(world, 1))
    send(world)
    assert lengths(world) == [20]


def test_a_single_push_does_not_wait(world: World) -> None:
    world.record(*batch(world, 0)[:1])
    send(world)
    assert lengths(world) == [1]


def test_a_backlog_goes_in_full_statements(world: World) -> None:
    for number in range(250):
        world.record(*batch(world, number), more_to_come=True)
        send(world)
    world.run()
    assert lengths(world) == [1000, 1000, 500]
    assert world.sent_ids() == [f"t{number}" for number in range(1, 2501)]


def test_full_batches_that_add_to_one_another_ring_once(world: World) -> None:
    for number in range(5):
        world.record(*batch(world, number), more_to_come=True)
    assert len(world.queues.woken) == 1


def test_a_last_batch_that_was_full_goes_when_nothing_follows(world: World) -> None:
    world.record(*batch(world, 0), more_to_come=True)
    started = world.now
    while not world.upstream.taken:
        assert world.step()
    assert GATHERING_WAIT <= world.now - started <= GATHERING_WAIT + timedelta(seconds=1)


def test_a_slow_stream_of_full_batches_is_not_waited_for_without_end(world: World) -> None:
    started, pause = world.now, GATHERING_WAIT * 0.9
    for number in range(50):
        world.record(*batch(world, number), more_to_come=True)
        send(world)
        if world.upstream.taken:
            break
        world.now += pause
    assert GATHERING_WAIT_MAX <= world.now - started <= GATHERING_WAIT_MAX + pause
    world.run()
    assert world.sent_ids() == [f"t{n}" for n in range(1, (number + 1) * BATCH_SIZE_MAX + 1)]


def test_what_comes_during_a_flight_is_gathered_for_the_next(world: World) -> None:
    for number in range(100):
        world.record(*batch(world, number), more_to_come=True)
    send(world)
    assert lengths(world) == [1000]
    for number in range(100, 105):
        world.record(*batch(world, number), more_to_come=True)
    while world.feed().flight:
        assert world.step()
    send(world)
    assert lengths(world) == [1000]
    for number in range(105, 200):
        world.record(*batch(world, number), more_to_come=True)
    world.run()
    assert lengths(world) == [1000, 1000]


def test_a_crash_between_the_append_and_its_wake_up_loses_nothing(world: World) -> None:
    messages = batch(world, 0)
    world.record(*messages, more_to_come=True)
    world.queues.woken.clear()
    world.record(*messages, more_to_come=True)
    world.run()
    assert lengths(world) == [10]


def test_a_hold_that_comes_while_an_append_is_under_way_is_told(world: World) -> None:
    """The hold's wake-up runs before the append is committed, and finds no operation of it to fail."""
    world.record(*batch(world, 0), more_to_come=True)
    late_batch = batch(world, 1)

    def hold_and_run() -> None:
        hold_app(world)
        world.run()

    just_before(world, "commit", hold_and_run, touching="LINES#")
    world.record(*late_batch, more_to_come=True)
    world.run()
    assert len(world.operations()) == 2 * BATCH_SIZE_MAX
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}


def test_a_hold_that_comes_while_lines_gather_is_told() -> None:
    world = World(("current", "savings"))
    world.record(*batch(world, 0, "current"), more_to_come=True)
    world.upstream.answers.append(NO_FEEDS)
    world.record(world.message(transactions(1), "savings"))
    world.run()
    assert len(world.operations()) == BATCH_SIZE_MAX + 1
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}
