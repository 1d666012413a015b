"""Status checks and wake-ups that come twice, early or late: nothing is left waiting, and every limit is kept."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from feedlane.feeds.feed import FlightStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Accepted, Refusal, StatementStatus, TryLater
from feedlane.follow_ups import StatementCheck
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.statements.intent import resume
from feedlane.statements.limits import Lane
from feedlane.statements.waits import not_before, wait_keys
from feedlane.store.table import ConditionFailed, Write
from tests.interruptions import Crashed
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World()


def test_a_feed_that_is_rung_for_often_waits_with_one_message(world: World) -> None:
    world.upstream.answers.append(TryLater(scope=Scope.TENANT, seconds=80_000, reason="day"))
    world.push(transactions(2))
    world.step()
    world.step()
    for _ in range(20):
        world.sender.send(world.feed().id)
    assert len(world.queues.follow_ups) == 1


def test_a_wake_up_that_comes_a_little_early_is_not_taken_for_one_still_to_come(world: World) -> None:
    """The clocks of two instances differ, or the queue is early: the feed must not wait for a wake-up it has had."""
    world.upstream.answers.append(TryLater(scope=Scope.TENANT, seconds=3000, reason="minute"))
    world.push(transactions(2))
    world.step()
    world.step()
    for _ in range(6):
        while world.queues.woken:
            world.sender.send(world.queues.woken.pop(0))
        if world.upstream.taken:
            break
        check, delay = world.queues.follow_ups.pop(0)
        world.now += timedelta(seconds=delay - 0.2)
        world.checks.dispatch(check)
    assert world.sent_ids() == ["t1", "t2"]


@pytest.mark.parametrize("status", [StatementStatus.DELIVERED, StatementStatus.REJECTED])
def test_a_look_handed_out_twice_of_which_one_dies_after_the_end_leaves_nothing_waiting(
    world: World, status: StatementStatus
) -> None:
    """The duplicate succeeds, and with it the message: it has to do everything that follows the end."""
    world.push(transactions(2))
    world.step()
    world.step()
    world.record(world.message(transactions(2, start=3, opening=20.0)))
    problem = Problem(type="account-not-valid", title="Account not valid", status=422)
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=status, problems=(problem,))
    [check] = [check for check, _ in world.queues.follow_ups]
    world.queues.follow_ups.clear()
    real_commit, real_status = world.store.table.commit, world.upstream.statement_status

    def crash_after_commit(*writes: Write) -> None:
        real_commit(*writes)
        if "STATEMENT#" in repr(writes):
            world.store.table.commit = real_commit  # type: ignore[method-assign]
            raise Crashed

    def dispatch_and_crash() -> None:
        world.store.table.commit = crash_after_commit  # type: ignore[method-assign]
        with pytest.raises(Crashed):
            world.checks.dispatch(check)

    def slow_status(*arguments: Any) -> Any:
        world.upstream.statement_status = real_status  # type: ignore[method-assign]
        dispatch_and_crash()
        return real_status(*arguments)

    world.upstream.statement_status = slow_status  # type: ignore[method-assign]
    world.checks.dispatch(check)
    world.run()
    expected = {PushStatus.SUCCESS} if status is StatementStatus.DELIVERED else {PushStatus.FAILED}
    assert {operation.status for operation in world.operations()} == expected


def test_a_limit_counts_from_the_answer_and_not_from_the_question(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    polled_at, real = world.now, world.upstream.statement_status

    def slow_status(*arguments: object) -> TryLater:
        world.now = polled_at.replace(second=polled_at.second + 8)
        world.upstream.statement_status = real  # type: ignore[method-assign]
        return TryLater(scope=Scope.TENANT, seconds=60, reason="minute")

    world.upstream.statement_status = slow_status  # type: ignore[method-assign,assignment]
    world.checks.dispatch(StatementCheck(feed_id=world.feed().id, number=1))
    until = not_before(world.store, wait_keys(world.feed(), Lane.LOOKS))
    assert until is not None
    assert (until - polled_at).total_seconds() == 68


def test_a_late_look_that_is_refused_does_not_fail_what_xero_has_got_meanwhile(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    later = world.push(transactions(2, start=3, opening=20.0))
    world.step()
    check, real = StatementCheck(feed_id=world.feed().id, number=1), world.upstream.statement_status
    forbidden = Problem(type="AuthenticationUnsuccessful", title="Forbidden", status=403)

    def refuse_late(*arguments: object) -> Refusal:
        world.upstream.statement_status = real  # type: ignore[method-assign]
        world.checks.dispatch(check)
        world.sender.send(world.feed().id)
        return Refusal(scope=Scope.CONNECTION, reason="no-access", problem=forbidden)

    world.upstream.statement_status = refuse_late  # type: ignore[method-assign]
    with suppress(ConditionFailed):  # its statement has changed: the message would be retried
        world.checks.dispatch(check)
    world.run()
    assert world.feed().delivered_through == 4
    assert world.operation(later.key).status is PushStatus.SUCCESS


@pytest.mark.parametrize("answer", ["refused", "taken"])
def test_a_statement_answered_since_its_feed_was_read_does_not_go_again(world: World, answer: str) -> None:
    """Two senders: one reads the feed, the other records Xero's answer, and then the first goes on."""
    world.upstream.answers.append(TryLater(scope=Scope.TENANT, seconds=5, reason="minute"))
    world.push(transactions(2))
    world.step()
    world.step()
    as_read = world.feed()
    assert as_read.flight is not None
    assert as_read.flight.status is FlightStatus.POSTING
    if answer == "refused":
        world.upstream.answers.append(
            Refusal(scope=Scope.FEED, reason="feed-ended", problem=Problem(type="x", title="X", status=400))
        )
    world.run()
    assert world.feed().flight is None
    posted = len(world.upstream.posts)
    with pytest.raises(ConditionFailed):
        resume(world.ports, as_read, lambda age: None)
    assert len(world.upstream.posts) == posted
