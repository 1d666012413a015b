"""A producer's message that is put back later under another message id: it is recorded at most once."""

from __future__ import annotations

import json

import pytest

from feedlane.feeds.push_operation import PushStatus
from feedlane.pushes.message import MESSAGE_BYTES_MAX, QueueMessage, with_operation_key
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World()


def put_back(world: World, message: QueueMessage) -> QueueMessage:
    """As the command line sends it: a new message with the operation key of the old one."""
    return QueueMessage(
        world.new_id(), message.group, with_operation_key(message.body, message.group, message.id), world.now
    )


def test_what_was_never_recorded_is_recorded_under_the_operation_it_would_have_had(world: World) -> None:
    message = world.message(transactions(2))
    world.record(put_back(world, message))
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    [operation] = world.operations()
    other = World()
    other.record(message)
    assert other.operation(operation.key).through == 2


def test_what_was_recorded_before_its_function_died_is_not_recorded_again(world: World) -> None:
    message = world.message(transactions(2))
    world.record(message)
    for _ in range(2):
        world.record(put_back(world, message))
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    [operation] = world.operations()
    assert (operation.status, operation.warnings) == (PushStatus.SUCCESS, ())
    assert len(world.events("bankTransactions.write.successful")) == 1


def test_what_the_feed_has_moved_past_fails_and_names_its_transactions(world: World) -> None:
    late = world.message(transactions(1, day="2026-05-01"))
    world.record(world.message(transactions(1, start=2, day="2026-05-02")))
    world.run()
    world.record(put_back(world, late))
    world.run()
    assert world.sent_ids() == ["t2"]
    [failed] = [operation for operation in world.operations() if operation.status is PushStatus.FAILED]
    assert [(error.item_id, error.validator) for error in failed.errors] == [("t1", "Chronological")]


@pytest.mark.parametrize(
    "body",
    [
        "{not json",
        "[1]",
        "{}",
        '{"pushOperationKey": null, "transactions": []}',
        '{"pushOperationKey": "6a4b9ff5-3a5f-4321-936b-4796163550f6"}',
        json.dumps({"transactions": ["x" * (MESSAGE_BYTES_MAX - 40)]}),
    ],
    ids=["no JSON", "no object", "empty", "key null", "key given", "full"],
)
def test_what_names_its_operation_or_cannot_is_left_as_it_is(body: str) -> None:
    assert with_operation_key(body, "k/a", "message-1") is body


def test_every_digit_and_character_stays_as_it_was() -> None:
    body = ' {"transactions": [{"amount": 1.10, "description": "\\ud800 {"}]}'
    keyed = with_operation_key(body, "k/a", "message-1")
    head, key, tail = keyed.partition(json.loads(keyed)["pushOperationKey"])
    assert head + tail == ' {"pushOperationKey":"",' + body[2:]
    assert key
