"""Many pushes at once to one feed stay within what a partition takes; where it takes less, everything still ends."""

from __future__ import annotations

import pytest

from feedlane.aws import dynamodb
from feedlane.codat.errors import error_answer
from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushStatus
from feedlane.pushes.message import QueueMessage
from feedlane.store.table import Put, Throttled
from tests.fakes.throttled_table import ThrottledTable
from tests.worlds.feeds import World, transactions

PUSHES, SIZE = 10, 1000


def push_and_record(world: World) -> int:
    """Pushes ten thousand transactions, and records each push until that succeeds. The number of failed attempts."""
    failed = 0
    for number in range(PUSHES):
        world.push(transactions(SIZE, start=number * SIZE + 1, opening=10.0 * number * SIZE))
        [message] = world.take_pushed()
        while not is_recorded(world, message):
            failed += 1
            world.table.seconds += 5.0
            assert failed < 20 * PUSHES
    return failed


def is_recorded(world: World, message: QueueMessage) -> bool:
    try:
        world.record(message)
    except Throttled:
        return False
    return True


def finish(world: World) -> None:
    """Delivers what was recorded: everything arrives once, in order."""
    world.run(steps_max=2_000)
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    assert feed_items.indexed_through(world.store, world.feed().id) == PUSHES * SIZE
    assert world.sent_ids() == [f"t{number + 1}" for number in range(PUSHES * SIZE)]


def test_as_fast_as_possible_they_are_throttled_and_end_right_all_the_same() -> None:
    world = World(table=ThrottledTable(paced=False))
    push_and_record(world)
    assert world.table.throttled > 300
    finish(world)


def test_paced_they_are_not_throttled() -> None:
    world = World(table=ThrottledTable())
    assert push_and_record(world) == 0
    assert world.table.throttled == 0
    # Ten pushes of a thousand take their time, but one alone takes less than a second.
    assert world.table.seconds < PUSHES * SIZE / 800 + 5
    finish(world)


def test_one_push_alone_waits_less_than_a_second() -> None:
    world = World(table=ThrottledTable())
    world.push(transactions(SIZE))
    world.record(*world.take_pushed())
    assert sum(world.table.pauses) < 1.0
    assert world.table.throttled == 0


def test_where_others_write_as_well_pauses_grow_and_everything_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """So much that some recordings fail in the middle: their messages are received again."""
    world = World(table=ThrottledTable(others=700))
    with monkeypatch.context() as impatient:
        impatient.setattr(dynamodb, "_ATTEMPTS_MAX", 4)
        impatient.setattr(dynamodb, "_PAUSE_SECONDS_MAX", 0.2)
        assert push_and_record(world) > 0
    finish(world)


def test_a_throttled_commit_is_tried_again_with_random_pauses_and_then_said_to_be_throttled() -> None:
    table = ThrottledTable(others=1_000)
    with pytest.raises(Throttled):
        table.commit(Put({"pk": "a", "sk": "1"}))
    assert (table.throttled, table.items) == (8, {})
    assert all(0.5 <= pause / min(3.2, 0.05 * 2**turn) <= 1 for turn, pause in enumerate(table.pauses))
    assert sum(table.pauses) < 7
    answer = error_answer(Throttled("busy"))
    assert (answer.status, answer.headers) == (503, {"Retry-After": "2"})
