"""End to end, from a push to its delivery: each transaction once, in order, and every push operation ends."""

from __future__ import annotations

import pytest

from feedlane.errors import Conflict, Invalid
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Failed, NoAnswer, TryLater
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World()


def test_a_push_through_the_api_is_delivered_and_its_operation_succeeds(world: World) -> None:
    operation = world.push(transactions(3))
    assert operation.status is PushStatus.PENDING
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert [event.type for event in world.events()] == ["bankTransactions.write.successful"]


def test_a_message_on_the_queue_is_delivered_and_its_operation_succeeds(world: World) -> None:
    world.record(world.message(transactions(3)))
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    [operation] = world.operations()
    assert operation.status is PushStatus.SUCCESS


def test_what_waits_goes_as_one_statement(world: World) -> None:
    world.record(*(world.message(transactions(1, start=n, opening=10.0 * (n - 1))) for n in range(1, 11)))
    world.run()
    assert [len(statement) for statement in world.upstream.taken] == [10]
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}


def test_the_same_content_again_answers_the_same_operation(world: World) -> None:
    first = world.push(transactions(3))
    assert world.push(transactions(3)).key == first.key
    world.run()
    assert world.push(transactions(3)).key == first.key
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3"]


def test_a_message_that_comes_twice_is_recorded_once(world: World) -> None:
    message = world.message(transactions(2))
    world.record(message)
    world.record(message)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert len(world.operations()) == 1


def test_a_known_transaction_is_skipped_with_a_warning(world: World) -> None:
    world.push(transactions(2))
    world.run()
    operation = world.push(transactions(4))
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3", "t4"]
    ended = world.operation(operation.key)
    assert ended.status is PushStatus.SUCCESS
    assert [warning.item_id for warning in ended.warnings] == ["t1", "t2"]


def test_a_known_id_with_other_content_fails_the_push_and_nothing_of_it_is_sent(world: World) -> None:
    world.push(transactions(2))
    world.run()
    operation = world.push(transactions(4, amount=11.0))
    world.run()
    ended = world.operation(operation.key)
    assert ended.status is PushStatus.FAILED
    assert {error.item_id for error in ended.errors} == {"t1", "t2"}
    assert world.sent_ids() == ["t1", "t2"]


def test_a_date_before_the_latest_recorded_one_fails_the_push(world: World) -> None:
    world.push(transactions(2, day="2026-05-02"))
    world.run()
    operation = world.push(transactions(1, start=3, day="2026-05-01", opening=20.0))
    world.run()
    ended = world.operation(operation.key)
    assert ended.status is PushStatus.FAILED
    assert ended.errors[0].validator == "Chronological"
    assert world.sent_ids() == ["t1", "t2"]


def test_a_gap_is_a_warning_an_event_and_a_statement_of_its_own(world: World) -> None:
    world.push(transactions(2))
    world.record(world.message(transactions(2, start=3, opening=500.0)))
    world.run()
    assert [len(statement) for statement in world.upstream.taken] == [2, 2]
    assert len(world.events("bankFeeds.gapFound")) == 1


@pytest.mark.parametrize(
    ("change", "validator"),
    [
        ({"date": "2026-05-21"}, "NotInTheFuture"),
        ({"date": "2025-05-19"}, "NotOlderThanAYear"),
        ({"date": "yesterday"}, "Date"),
        ({"balance": None}, "Required"),
        ({"amount": "ten"}, "Decimal"),
        ({"amount": 1.23456}, "Decimal"),
        ({"id": ""}, "Required"),
        ({"transactionType": "Gift"}, "Enum"),
        ({"description": "x" * 2001}, "MaximumLength"),
    ],
)
def test_bad_input_names_the_transaction_and_the_rule(world: World, change: dict, validator: str) -> None:
    [transaction] = transactions(1)
    with pytest.raises(Invalid) as caught:
        world.push([transaction | change])
    assert [finding.validator for finding in caught.value.findings] == [validator]
    assert world.operations() == []


def test_a_push_out_of_order_in_itself_is_refused(world: World) -> None:
    late, early = transactions(1, day="2026-05-02"), transactions(1, start=2, day="2026-05-01")
    with pytest.raises(Invalid) as caught:
        world.push(late + early)
    assert [(finding.item_id, finding.validator) for finding in caught.value.findings] == [("t2", "Chronological")]


def test_more_than_a_thousand_transactions_are_refused(world: World) -> None:
    with pytest.raises(Invalid) as caught:
        world.push(transactions(1001))
    assert caught.value.findings[0].validator == "MaximumCount"


def test_a_lost_answer_does_not_send_the_statement_twice(world: World) -> None:
    world.upstream.lost.append(NoAnswer(reason="timed out"))
    operation = world.push(transactions(3))
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    [first, second] = world.upstream.posts
    assert first == second
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_after_a_server_error_the_same_bytes_go_under_a_new_key(world: World) -> None:
    problem = Problem(type="internal-error", title="Intermittent Internal Xero Error", status=500)
    world.upstream.answers.append(Failed(problem=problem))
    world.push(transactions(3))
    world.run()
    [(first_key, first), (second_key, second)] = world.upstream.posts
    assert first == second
    assert first_key != second_key


def test_a_rate_limit_holds_nothing_and_comes_back_later(world: World) -> None:
    world.upstream.answers.append(TryLater(scope=Scope.TENANT, seconds=3000, reason="minute"))
    before = world.now
    operation = world.push(transactions(3))
    world.run()
    assert (world.now - before).total_seconds() >= 3000
    assert len(world.upstream.posts) == 2
    assert hold_items.holds(world.store) == []
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_a_push_that_times_out_says_so_and_is_still_delivered(world: World) -> None:
    world.upstream.answers.append(TryLater(scope=Scope.TENANT, seconds=7200, reason="day"))
    operation = world.push(transactions(1), timeout_in_minutes=5)
    world.run()
    assert world.operation(operation.key).status is PushStatus.TIMED_OUT
    assert world.sent_ids() == ["t1"]


def test_nothing_is_taken_while_the_integration_is_off(world: World) -> None:
    settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(bank_feeds=False)))
    with pytest.raises(Conflict):
        world.push(transactions(1))


def test_a_poison_message_is_set_aside_with_its_reason_and_the_next_is_recorded(world: World) -> None:
    good = world.message(transactions(1))
    bad = world.message(transactions(1))
    world.record(
        type(bad)(bad.id, bad.group, "{not json", bad.sent_at),
        type(bad)(bad.id, "another/group", good.body, bad.sent_at),
        good,
    )
    world.run()
    assert [message["reason"][:5] for message in world.queues.dead_letters] == ["body:", "Messa"]
    assert world.sent_ids() == ["t1"]


def test_a_message_of_an_unknown_account_is_a_failed_operation(world: World) -> None:
    world.record(world.message(transactions(1), account="nobody"))
    [operation] = world.operations()
    assert operation.status is PushStatus.FAILED
    assert operation.errors[-1].item_id == "accountId"


def test_a_message_with_a_bad_transaction_is_a_failed_operation_that_names_it(world: World) -> None:
    [transaction] = transactions(1)
    world.record(world.message([transaction | {"balance": None}]))
    [operation] = world.operations()
    assert operation.status is PushStatus.FAILED
    assert (operation.errors[0].item_id, operation.errors[0].validator) == ("t1", "Required")
    world.record(world.message(transactions(1, start=2)))
    world.run()
    assert world.sent_ids() == ["t2"]
