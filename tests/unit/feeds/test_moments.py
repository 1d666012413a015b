"""Two things at once, and crashes between two steps: nothing is told twice, forgotten or left waiting."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from feedlane.hold import APP, Hold, Scope
from feedlane.problem import Problem
from feedlane.push_operation import Door, PushOperation, PushStatus
from feedlane.queue_message import QueueMessage
from feedlane.queues import Check
from feedlane.releasing import release
from feedlane.settings_changes import change_settings
from feedlane.statement import StatementState
from feedlane.store import keys, ledger
from feedlane.store.limits import not_before
from feedlane.store.table import ConditionFailed, Write
from feedlane.upstream import Accepted, Refusal, StatementStatus, TryLater
from tests.fakes.upstream import NO_FEEDS
from tests.unit.feeds.moments import Crashed, contend, crash_on_wake, just_before
from tests.unit.feeds.world import COMPANY, World, transactions

ENDS = ("bankTransactions.write.successful", "bankTransactions.write.unsuccessful")


@pytest.fixture
def world() -> World:
    return World(accounts=("account-1", "account-2"))


def hold_app(world: World) -> Hold:
    problem = Problem(type="invalid-application", title="Invalid Application", status=403)
    hold = Hold(id=world.new_id(), scope=Scope.APP, subject=APP, reason="app", problem=problem, since=world.now)
    world.store.commit(world.store.add_hold(hold))
    return hold


def lift(world: World, hold: Hold) -> None:
    release(world.store, world.queues, world.now, world.new_id, hold)


def run_but_crash(world: World) -> None:
    """All queues, with each crash bringing its message again."""
    with pytest.raises(Crashed):
        world.run()


def test_a_release_in_between_is_not_failed_by_the_hold_it_lifted(world: World) -> None:
    world.record(world.message(transactions(2)))
    hold = hold_app(world)
    just_before(world, "query", lambda: lift(world, hold), touching="OPEN#")
    world.run()
    assert {operation.door: operation.status for operation in world.operations()}["release"] is PushStatus.SUCCESS


def test_an_operation_that_another_has_just_ended_has_one_end_event(world: World) -> None:
    operation = world.push(transactions(2))
    world.step()
    hold_app(world)
    feed_id = world.feed().id
    just_before(world, "get_many", lambda: world.sender.send(feed_id), touching="PUSH#")
    world.sender.send(feed_id)
    assert world.operation(operation.key).status is PushStatus.FAILED
    assert len(world.events(*ENDS)) == 1


def test_known_transactions_that_are_delivered_meanwhile_do_not_wait_for_ever(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    again = world.message(transactions(2))
    just_before(world, "commit", world.run, touching="OPEN#")
    world.record(again)
    world.run()
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}


def test_what_was_recorded_while_a_hold_was_lifted_is_told_of_its_delivery(world: World) -> None:
    hold = hold_app(world)
    world.record(world.message(transactions(2)))
    late = world.message(transactions(2, start=3, opening=20.0))
    just_before(world, "commit", lambda: world.record(late), touching="bankFeeds.released")
    lift(world, hold)
    world.run()
    delivered = [one.through for one in world.operations() if one.status is PushStatus.SUCCESS]
    assert max(delivered) == world.feed().delivered_through == 4


def test_what_an_idle_feed_records_while_a_hold_is_lifted_goes_on_under_an_operation_of_its_own(world: World) -> None:
    """Its wake-up finds the hold still there, and the release has looked at it already."""
    hold = hold_app(world)
    world.record(world.message(transactions(2)))
    late = world.message(transactions(2), "account-2")

    def recorded() -> None:
        world.record(late)
        while world.queues.woken:
            world.sender.send(world.queues.woken.pop(0))

    just_before(world, "commit", recorded, touching="bankFeeds.released")
    lift(world, hold)
    world.run()
    assert world.feed("account-2").waiting == 0
    told = [one for one in world.operations() if one.account_id == "account-2" and one.status is PushStatus.SUCCESS]
    assert [one.door for one in told] == ["release"]


def test_a_release_sees_what_the_index_does_not_know_yet(world: World) -> None:
    problem = Problem(type="invalid-user-role", title="Invalid User Role", status=403)
    ids = {"id": world.new_id(), "subject": "tenant-1", "reason": "user-role-too-low"}
    hold = Hold(scope=Scope.TENANT, problem=problem, since=world.now, **ids)
    world.store.commit(world.store.add_hold(hold))
    table = world.store.table
    lagging, real = list(table.query(keys.tenant("tenant-1"), index=True)), table.query
    table.query = lambda pk, **how: lagging if how.get("index") else real(pk, **how)  # type: ignore[method-assign]
    world.record(world.message(transactions(2)))
    world.run()
    lift(world, hold)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_a_push_that_timed_out_before_it_was_recorded_goes_when_it_is_sent_again(world: World) -> None:
    """Its message was lost, or is a dead letter: nothing else would ever record it."""
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
    late = world.push([transactions(1)[0] | {"description": "other"}], timeout_in_minutes=1)
    check = Check(kind="operation", feed_id="", operation_key=late.key, company_id=COMPANY)
    world.now = late.due or world.now
    world.checker.look(check)
    world.run()
    found = world.operation(late.key)
    assert (found.status, [error.validator for error in found.errors]) == (PushStatus.TIMED_OUT, ["UniqueId"])
    assert sum(event.payload["id"] == late.key for event in world.events(*ENDS)) == 1


def test_a_hold_that_meets_another_writer_is_written_all_the_same(world: World) -> None:
    world.upstream.answers.append(NO_FEEDS)
    world.push(transactions(2))
    contend(world, touching="HOLD#")
    world.run()
    assert [hold.scope for hold in world.store.holds()] == [Scope.TENANT]
    assert len(world.events("bankFeeds.held")) == 1


def test_a_crash_right_after_a_hold_still_tells_the_other_feeds(world: World) -> None:
    first, second = world.push(transactions(2)), world.push(transactions(2), account="account-2")
    world.step()
    world.queues.woken.pop()
    world.upstream.answers.append(NO_FEEDS)
    crash_on_wake(world)
    run_but_crash(world)
    world.queues.woken.append(world.feed().id)
    world.run()
    assert [world.operation(one.key).status for one in (first, second)] == [PushStatus.FAILED] * 2


def test_what_waits_behind_a_pending_statement_is_told_of_a_hold(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    behind = world.message(transactions(2, start=3, opening=20.0))
    just_before(world, "commit", lambda: bool(hold_app(world)) or None, touching="LINES#")
    world.record(behind)
    world.step()
    assert PushStatus.FAILED in {operation.status for operation in world.operations()}


def test_switching_on_survives_a_crash_before_the_feeds_are_woken(world: World) -> None:
    ports = (world.store, world.queues, world.now, world.new_id)
    world.record(world.message(transactions(2)))
    change_settings(*ports, {"bank_feeds": False})
    world.run()
    crash_on_wake(world)
    with pytest.raises(Crashed):
        change_settings(*ports, {"bank_feeds": True})
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_a_feed_that_is_rung_for_often_waits_with_one_message(world: World) -> None:
    world.upstream.answers.append(TryLater(scope=Scope.TENANT, seconds=80_000, reason="day"))
    world.push(transactions(2))
    world.step()
    world.step()
    for _ in range(20):
        world.sender.send(world.feed().id)
    assert len(world.queues.checks) == 1


def test_a_wake_up_that_comes_a_little_early_is_not_taken_for_one_still_to_come(world: World) -> None:
    """The clocks of two instances differ, or the queue is early: the feed must not wait for what it has had."""
    world.upstream.answers.append(TryLater(scope=Scope.TENANT, seconds=3000, reason="minute"))
    world.push(transactions(2))
    world.step()
    world.step()
    for _ in range(6):
        while world.queues.woken:
            world.sender.send(world.queues.woken.pop(0))
        if world.upstream.taken:
            break
        check, delay = world.queues.checks.pop(0)
        world.now += timedelta(seconds=delay - 0.2)
        world.checker.look(check)
    assert world.sent_ids() == ["t1", "t2"]


@pytest.mark.parametrize("status", [StatementStatus.DELIVERED, StatementStatus.REJECTED])
def test_a_look_handed_out_twice_of_which_one_dies_after_the_end_leaves_nothing_waiting(
    world: World, status: StatementStatus
) -> None:
    """The other is done, and with it the message: whatever comes after the end is left to it."""
    world.push(transactions(2))
    world.step()
    world.step()
    world.record(world.message(transactions(2, start=3, opening=20.0)))
    problem = Problem(type="account-not-valid", title="Account not valid", status=422)
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=status, problems=(problem,))
    [check] = [check for check, _ in world.queues.checks]
    world.queues.checks.clear()
    real = world.store.table.commit

    def dying(*writes: Write) -> None:
        real(*writes)
        if "STATEMENT#" in repr(writes):
            world.store.table.commit = real  # type: ignore[method-assign]
            raise Crashed

    def first() -> None:
        world.store.table.commit = dying  # type: ignore[method-assign]
        with pytest.raises(Crashed):
            world.checker.look(check)

    asked = world.upstream.statement_status

    def slow(*given: Any) -> Any:
        world.upstream.statement_status = asked  # type: ignore[method-assign]
        first()
        return asked(*given)

    world.upstream.statement_status = slow  # type: ignore[method-assign]
    world.checker.look(check)
    world.run()
    expected = {PushStatus.SUCCESS} if status is StatementStatus.DELIVERED else {PushStatus.FAILED}
    assert {operation.status for operation in world.operations()} == expected


def test_a_limit_counts_from_the_answer_and_not_from_the_question(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    asked, real = world.now, world.upstream.statement_status

    def slow(*given: object) -> TryLater:
        world.now = asked.replace(second=asked.second + 8)
        world.upstream.statement_status = real  # type: ignore[method-assign]
        return TryLater(scope=Scope.TENANT, seconds=60, reason="minute")

    world.upstream.statement_status = slow  # type: ignore[method-assign,assignment]
    world.checker.look(Check(kind="statement", feed_id=world.feed().id, number=1))
    until = not_before(world.store, [(Scope.TENANT, "tenant-1")])
    assert until is not None
    assert (until - asked).total_seconds() == 68


def test_the_feed_of_a_deleted_company_ends_quietly(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    hold_app(world)
    world.store.commit(world.store.remove_company(world.store.company(COMPANY)))
    world.run()
    assert world.queues.aside == []


def test_a_hold_of_a_tenant_is_released_although_a_company_of_it_was_deleted(world: World) -> None:
    world.upstream.answers.append(NO_FEEDS)
    world.push(transactions(2))
    world.run()
    [hold] = world.store.holds()
    world.store.commit(world.store.remove_company(world.store.company(COMPANY)))
    lift(world, hold)
    assert world.store.holds() == []


def test_a_release_that_meets_another_writer_is_done_all_the_same(world: World) -> None:
    hold = hold_app(world)
    contend(world, touching="HOLD#")
    lift(world, hold)
    assert world.store.table.get(keys.hold(Scope.APP, APP)) is None


def test_a_crash_before_the_time_out_is_watched_is_mended_by_the_same_push_again(world: World) -> None:
    first = world.push(transactions(1), timeout_in_minutes=5)
    world.queues.checks.clear()
    assert world.push(transactions(1), timeout_in_minutes=5).key == first.key
    assert [check.kind for check, _ in world.queues.checks] == ["operation"]


def test_a_hold_does_not_fail_what_the_upstream_has_taken_since_the_feed_was_read(world: World) -> None:
    """One wake-up has read the feed behind its first statement when another sends the second, and a hold comes."""
    world.push(transactions(1))
    operation = behind(world)
    held: list[Hold] = []

    def second_goes_and_is_held() -> None:
        while len(world.upstream.taken) < 2:
            world.step()
        held.append(hold_app(world))

    just_before(world, "get_many", second_goes_and_is_held, touching="HOLD#")
    world.sender.send(world.feed().id)
    assert world.sent_ids() == ["t1", "t2"]
    assert world.operation(operation.key).status is PushStatus.PENDING
    world.run()
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert world.events("bankTransactions.write.unsuccessful") == []


def behind(world: World) -> PushOperation:
    """A push recorded behind the feed's first statement, which is PENDING."""
    while not world.upstream.taken:
        world.step()
    operation = world.push(transactions(1, start=2, opening=10.0))
    world.record(
        *(QueueMessage(one["id"], one["group"], one["body"], world.now) for one in world.queues.take("pushed"))
    )
    return operation


@pytest.mark.parametrize("known", [True, False], ids=["recorded as held", "failed after"])
def test_what_fails_by_a_hold_while_it_is_being_lifted_goes_on_under_an_operation(world: World, known: bool) -> None:
    """The release has looked at the feeds, and found none that waits, when a push is recorded and told of the hold."""
    hold = hold_app(world) if known else None
    operation = world.message(transactions(2))
    if hold is None:
        world.record(operation)
        hold = hold_app(world)

    def recorded_and_told() -> None:
        if known:
            world.record(operation)
        else:
            world.sender.send(world.feed().id)
        assert [found.status for found in world.operations()] == [PushStatus.FAILED]

    just_before(world, "commit", recorded_and_told, touching="bankFeeds.released")
    lift(world, hold)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert {found.door: found.status for found in world.operations()} == {
        Door.QUEUE: PushStatus.FAILED,
        Door.RELEASE: PushStatus.SUCCESS,
    }


def delivered_elsewhere(world: World) -> None:
    """Another invocation wrote down that the statement is delivered, and crashed before anything else."""
    feed = world.feed()
    statement = ledger.statement(world.store, feed.id, 1)
    assert statement is not None
    ended = statement.but(state=StatementState.DELIVERED)
    after = feed.but(flight=None, delivered_through=statement.last)
    world.store.commit(ledger.put_statement(ended), ledger.put_feed(after))


@pytest.mark.parametrize("call", ["post_statement", "statement_status"])
def test_operations_are_told_by_whoever_comes_second_if_the_first_has_crashed(world: World, call: str) -> None:
    operation = world.push(transactions(2))
    real = getattr(world.upstream, call)

    def meanwhile(*given: object) -> object:
        setattr(world.upstream, call, real)
        answer = real(*given)
        delivered_elsewhere(world)
        return answer

    setattr(world.upstream, call, meanwhile)
    world.run()
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_a_late_look_that_is_refused_does_not_fail_what_xero_has_got_meanwhile(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    behind = world.push(transactions(2, start=3, opening=20.0))
    world.step()
    look, real = Check(kind="statement", feed_id=world.feed().id, number=1), world.upstream.statement_status
    gone = Problem(type="AuthenticationUnsuccessful", title="Forbidden", status=403)

    def meanwhile(*given: object) -> Refusal:
        world.upstream.statement_status = real  # type: ignore[method-assign]
        world.checker.look(look)
        world.sender.send(world.feed().id)
        return Refusal(scope=Scope.CONNECTION, reason="no-access", problem=gone)

    world.upstream.statement_status = meanwhile  # type: ignore[method-assign]
    with suppress(ConditionFailed):  # its statement has moved on: the message would come again
        world.checker.look(look)
    world.run()
    assert world.feed().delivered_through == 4
    assert world.operation(behind.key).status is PushStatus.SUCCESS
