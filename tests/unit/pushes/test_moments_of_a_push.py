"""A push at the same time as its time-out, its delivery or a crash: one event says how it ends, and none is lost."""

from __future__ import annotations

import pytest

from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import PushStatus
from feedlane.follow_ups import PushOperationCheck
from feedlane.pushes import doorbell
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementState
from feedlane.store import keys
from feedlane.store.due import NOTHING_LEFT
from tests.builders import COMPANY
from tests.interruptions import just_before
from tests.worlds.feeds import World, transactions

ENDS = ("bankTransactions.write.successful", "bankTransactions.write.unsuccessful")


@pytest.fixture
def world() -> World:
    return World()


def test_known_transactions_that_are_delivered_meanwhile_do_not_wait_for_ever(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    again = world.message(transactions(2))
    just_before(world, "commit", world.run, touching="OPEN#")
    world.record(again)
    world.run()
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}


def test_a_push_that_timed_out_before_it_was_recorded_goes_when_it_is_sent_again(world: World) -> None:
    """Its message was lost or is a dead letter: only a repeat of the push can record it."""
    operation = world.push(transactions(1), timeout_in_minutes=1)
    world.queues.pushed.clear()
    world.run()
    assert world.operation(operation.key).status is PushStatus.TIMED_OUT
    assert world.push(transactions(1)).key == operation.key
    world.run()
    assert world.sent_ids() == ["t1"]
    assert world.push(transactions(1)).key == operation.key
    assert world.queues.pushed == []


def test_a_push_that_timed_out_and_is_refused_later_has_one_end_event(world: World) -> None:
    world.push(transactions(2))
    late = world.push([transactions(1)[0] | {"amount": 11}], timeout_in_minutes=1)
    check = PushOperationCheck(feed_id=world.feed().id, operation_key=late.key, company_id=COMPANY)
    world.now = late.due or world.now
    world.checks.dispatch(check)
    world.run()
    operation = world.operation(late.key)
    assert (operation.status, [error.validator for error in operation.errors]) == (PushStatus.TIMED_OUT, ["UniqueId"])
    assert sum(event.payload["id"] == late.key for event in world.events(*ENDS)) == 1


def test_a_push_that_timed_out_and_was_refused_is_never_offered_to_the_ledger_again(world: World) -> None:
    """The platform was told of the refusal, and may have sent the same money under new ids since."""
    feed = world.feed()
    late = world.push(transactions(1), timeout_in_minutes=1)
    check = PushOperationCheck(feed_id=feed.id, operation_key=late.key, company_id=COMPANY)
    doorbells = world.take_pushed()
    world.now = late.due or world.now
    world.checks.dispatch(check)
    world.queues.pushed.clear()
    world.store.commit(feed_items.put_feed(feed.but(feed_connection_id="")))
    world.record(*doorbells)
    assert world.operation(late.key).errors
    world.store.commit(feed_items.put_feed(world.feed().but(feed_connection_id=feed.feed_connection_id)))

    item = world.table.items[keys.push_operation(COMPANY, late.key)]
    assert doorbell.look(world.ports, world.now, item) == NOTHING_LEFT
    world.checks.dispatch(check)
    assert world.queues.pushed == []
    world.record(*doorbells)
    world.run()
    assert world.sent_ids() == []

    assert world.push(transactions(1)).key != late.key
    world.run()
    assert world.sent_ids() == ["t1"]


def test_a_crash_before_the_time_out_is_watched_is_mended_by_the_same_push_again(world: World) -> None:
    first = world.push(transactions(1), timeout_in_minutes=5)
    world.queues.follow_ups.clear()
    assert world.push(transactions(1), timeout_in_minutes=5).key == first.key
    assert [type(message) for message, _ in world.queues.follow_ups] == [PushOperationCheck]


def delivered_elsewhere(world: World) -> None:
    """Another invocation has recorded the delivery of the statement, and crashed right after."""
    feed = world.feed()
    statement = statement_items.find_statement(world.store, feed.id, 1)
    assert statement is not None
    ended = statement.but(state=StatementState.DELIVERED)
    after = feed.but(flight=None, delivered_through=statement.last)
    world.store.commit(statement_items.put_statement(ended), feed_items.put_feed(after))


@pytest.mark.parametrize("call", ["post_statement", "statement_status"])
def test_operations_are_told_by_whoever_comes_second_if_the_first_has_crashed(world: World, call: str) -> None:
    operation = world.push(transactions(2))
    real = getattr(world.upstream, call)

    def call_and_deliver(*arguments: object) -> object:
        setattr(world.upstream, call, real)
        answer = real(*arguments)
        delivered_elsewhere(world)
        return answer

    setattr(world.upstream, call, call_and_deliver)
    world.run()
    assert world.operation(operation.key).status is PushStatus.SUCCESS
