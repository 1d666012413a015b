"""How many requests to the table a push takes on its way: each takes far longer than the work between two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushStatus
from feedlane.pushes.appending import IDS_IN_COMMIT_MAX
from feedlane.pushes.message import BATCH_SIZE_MAX, QueueMessage
from feedlane.settings import items as settings_items
from feedlane.store.table import ConditionFailed
from tests.interruptions import just_before
from tests.worlds.feeds import World, transactions

METHODS = ("get", "get_many", "query", "commit", "put_many", "delete_many")


def requests(world: World, *messages: QueueMessage, more_to_come: bool = False) -> list[str]:
    """The requests to the table, in order, that recording the messages takes."""
    return requests_by(world, lambda: world.record(*messages, more_to_come=more_to_come))


def requests_by(world: World, act: Callable[[], None]) -> list[str]:
    table: Any = world.store.table
    names: list[str] = []
    for name in METHODS:
        real = getattr(table, name)
        setattr(table, name, lambda *args, name=name, real=real, **kwargs: names.append(name) or real(*args, **kwargs))
    try:
        act()
    finally:
        for name in METHODS:
            delattr(table, name)
    return names


def warm() -> World:
    """A feed that has recorded and delivered before."""
    world = World()
    world.record(world.message(transactions(2)))
    world.run()
    return world


def following(world: World, count: int = BATCH_SIZE_MAX) -> list[QueueMessage]:
    """Messages of one transaction each that continue what the feed has recorded."""
    start = world.feed().recorded_through + 1
    rows = transactions(count, start=start, opening=10.0 * (start - 1))
    return [world.message([row]) for row in rows]


def test_a_full_batch_of_messages_takes_two_reads_and_a_commit() -> None:
    """One read for what the messages name, one for what only the feed tells: its tenant's hold and its recorded ids."""
    world = warm()
    assert requests(world, *following(world), more_to_come=True) == ["get_many", "get_many", "commit"]
    assert (world.feed().recorded_through, len(world.queues.woken)) == (12, 1)


def test_behind_a_statement_under_way_it_takes_a_last_look_at_the_holds() -> None:
    """No wake-up is sent then, so nothing else would notice a hold placed in between."""
    world = warm()
    world.record(*following(world))
    world.step()
    assert world.feed().flight is not None
    assert requests(world, *following(world), more_to_come=True) == ["get_many", "get_many", "commit", "get_many"]
    assert world.feed().recorded_through == 22


def test_a_full_batch_of_the_apis_pushes_takes_no_more() -> None:
    world = warm()
    rows = transactions(BATCH_SIZE_MAX, start=3, opening=20.0)
    for row in rows:
        world.push([row])
    assert requests(world, *world.take_pushed()) == ["get_many", "get_many", "commit"]
    assert world.feed().recorded_through == 12


def test_many_transactions_have_their_ids_written_after_the_commit() -> None:
    """In the commit, each would cost twice as much."""
    world = warm()
    message = world.message(transactions(IDS_IN_COMMIT_MAX + 1, start=3, opening=20.0))
    assert requests(world, message) == ["get_many", "get_many", "commit", "put_many", "put_many"]
    assert feed_items.indexed_through(world.store, world.feed().id) == IDS_IN_COMMIT_MAX + 3


@pytest.mark.parametrize("count", [1, IDS_IN_COMMIT_MAX, IDS_IN_COMMIT_MAX + 1])
def test_what_was_recorded_before_is_known_wherever_its_id_was_written(count: int) -> None:
    world = World()
    rows = transactions(count)
    world.record(world.message(rows))
    world.record(world.message(rows))
    assert world.feed().recorded_through == count
    [repeated] = [operation for operation in world.operations() if operation.warnings]
    assert {warning.validator for warning in repeated.warnings} == {"Duplicate"}


def test_the_commit_itself_refuses_an_id_that_the_reads_have_missed() -> None:
    world = warm()
    before = world.feed()
    with patch.object(feed_items, "recorded_ids", lambda *_: {}), pytest.raises(ConditionFailed):
        world.record(world.message(transactions(1)))
    assert world.feed() == before


def test_a_hold_that_comes_between_the_two_reads_is_seen() -> None:
    world = warm()
    just_before(world, "get_many", world.add_hold, touching="HOLD#app")
    world.record(*following(world, 1))
    assert world.operations()[0].status is PushStatus.FAILED


def test_another_append_between_the_two_reads_is_noticed() -> None:
    """The same messages, delivered twice: the ids are read again, on the feed as it is then."""
    world = warm()
    messages = following(world)
    just_before(world, "get_many", lambda: world.record(*messages), touching="HOLD#app")
    world.record(*messages)
    assert world.feed().recorded_through == 12
    assert [operation.warnings for operation in world.operations() if operation.warnings] == []


def test_whether_a_statement_may_go_is_one_read() -> None:
    """Holds, settings, the mapping and the waits after rate limits are one read after the feed, which names them."""
    world = warm()
    world.record(*following(world, 1))
    world.store.commit(settings_items.put_settings(settings_items.settings(world.store).but(bank_feeds=False)))
    assert requests_by(world, lambda: world.sender.send(world.queues.woken[0])) == ["get", "get_many"]
