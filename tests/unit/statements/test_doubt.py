"""A statement in doubt, which may or may not have arrived: it is never cut again while it may have."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from typing import Any

import pytest

from feedlane.feeds import items as feed_items
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.feeds.upstream import (
    Accepted,
    Failed,
    NoAnswer,
    PostAnswer,
    Refusal,
    SearchAnswer,
    SearchPlace,
    StatementStatus,
    TenantAccess,
)
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.statements import items as statement_items
from feedlane.statements.doubt import LISTED_WITHIN
from feedlane.statements.statement import StatementState
from feedlane.store.table import ConditionFailed
from tests.fakes.upstream import NO_FEEDS
from tests.hold_actions import hold_tenant, lift_all
from tests.interruptions import Crashed
from tests.worlds.feeds import World, transactions

BROKEN = Failed(problem=Problem(type="internal-error", title="Internal error", status=500))
GRANT_DEAD = Refusal(
    scope=Scope.CONNECTION,
    reason="reconnection-needed",
    problem=Problem(type="invalid_grant", title="Authorisation ended", status=400),
)
FUTURE_DATES = Refusal(
    scope=Scope.FEED,
    reason="invalid-dates",
    problem=Problem(type="invalid-end-date", title="Invalid End Date", status=422),
)


@pytest.fixture
def world() -> World:
    return World()


def in_doubt(world: World, count: int = 2) -> None:
    """A statement that arrived, although its answer was lost, and new lines behind it."""
    world.upstream.lost.append(NoAnswer(reason="timed out"))
    world.push(transactions(count))
    world.step()
    world.step()
    world.record(world.message(transactions(2, start=count + 1, opening=10.0 * count)))


def test_a_dead_grant_does_not_cut_a_statement_in_doubt_anew(world: World) -> None:
    in_doubt(world)
    world.upstream.answers.append(GRANT_DEAD)
    world.run()
    lift_all(world)
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3", "t4"]
    assert len({request for _, request in world.upstream.posts[:3]}) == 1


def test_after_a_refusal_in_doubt_the_same_bytes_go_under_a_new_key(world: World) -> None:
    in_doubt(world)
    world.upstream.answers.append(NO_FEEDS)
    world.run()
    lift_all(world)
    world.run()
    (key_1, request_1), (key_2, request_2), (key_3, request_3) = world.upstream.posts[:3]
    assert request_1 == request_2 == request_3
    assert key_1 == key_2 != key_3


def test_a_statement_that_was_resumed_is_not_refused_by_who_was_first(world: World) -> None:
    world.push(transactions(2))
    world.step()
    real, feed_id = world.upstream.post_statement, world.feed().id

    def crash_after_post(*arguments: Any) -> None:
        world.upstream.post_statement = real  # type: ignore[method-assign]
        real(*arguments)
        raise Crashed

    def slow_post(*arguments: object) -> object:
        """So slow that the message is delivered again: the second post arrives and crashes, the first is refused."""
        world.upstream.post_statement = crash_after_post  # type: ignore[method-assign,assignment]
        with pytest.raises(Crashed):
            world.sender.send(feed_id)
        world.upstream.posts.append(("", world.upstream.posts[0][1]))
        return NO_FEEDS

    world.upstream.post_statement = slow_post  # type: ignore[method-assign,assignment]
    with suppress(ConditionFailed):
        world.sender.send(feed_id)
    lift_all(world)
    world.queues.woken.append(feed_id)
    world.record(world.message(transactions(2, start=3, opening=20.0)))
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3", "t4"]
    assert len({request for _, request in world.upstream.posts[:3]}) == 1


def test_who_was_first_records_nothing_once_a_hold_has_failed_the_operations(world: World) -> None:
    """Otherwise nothing would report these lines: they would be delivered, and their operation has failed."""
    operation = world.push(transactions(2))
    world.step()
    real, feed_id = world.upstream.post_statement, world.feed().id

    def slow_post(*arguments: Any) -> object:
        """It arrives, but its answer comes only after another wake-up has found the tenant held."""
        answer = real(*arguments)
        hold_tenant(world)
        world.sender.send(feed_id)
        assert world.operation(operation.key).status is PushStatus.FAILED
        return answer

    world.upstream.post_statement = slow_post  # type: ignore[method-assign,assignment]
    with pytest.raises(ConditionFailed):
        world.sender.send(feed_id)
    world.upstream.post_statement = real  # type: ignore[method-assign]
    lift_all(world)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert [(each.door, each.status) for each in world.operations()] == [
        (Door.RELEASE, PushStatus.SUCCESS),
        (Door.API, PushStatus.FAILED),
    ]


def test_a_duplicate_that_is_still_pending_is_followed_to_its_end(world: World) -> None:
    world.upstream.lost.append(BROKEN)
    operation = world.push(transactions(2))
    world.step()
    world.step()
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=StatementStatus.PENDING)
    for _ in range(4):
        world.step()
    assert world.feed().delivered_through == 0
    rejected = Problem(type="account-not-valid", title="Account not valid", status=422)
    world.upstream.statuses["statement-1"] = Accepted(
        statement_id="statement-1", status=StatementStatus.REJECTED, problems=(rejected,)
    )
    world.run()
    assert world.operation(operation.key).status is PushStatus.FAILED
    [hold] = hold_items.holds(world.store)
    assert hold.problem == rejected


@pytest.mark.parametrize("arrived", [True, False])
def test_a_statement_in_doubt_whose_feed_connection_was_replaced_is_looked_for(world: World, arrived: bool) -> None:
    if arrived:
        world.upstream.lost.append(NoAnswer(reason="timed out"))
    else:
        world.upstream.answers.append(NoAnswer(reason="timed out"))
    operation = world.push(transactions(2))
    world.step()
    world.step()
    feed = world.feed()
    world.store.commit(feed_items.put_feed(feed.but(feed_connection_id="fc-another")))
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    statement = statement_items.find_statement(world.store, feed.id, 1)
    assert statement is not None
    assert statement.state is (StatementState.DELIVERED if arrived else StatementState.REFUSED)


def test_a_statement_that_had_arrived_is_found_although_its_dates_are_refused_by_now(world: World) -> None:
    in_doubt(world)
    world.upstream.answers.append(FUTURE_DATES)
    world.run()
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1", "t2", "t3", "t4"]
    assert world.feed().delivered_through == 4


def test_a_statement_in_doubt_that_is_refused_and_not_at_xero_is_cut_anew(world: World) -> None:
    in_doubt(world)
    world.upstream.taken.clear()
    world.upstream.answers.append(FUTURE_DATES)
    world.run()
    [hold] = hold_items.holds(world.store)
    # Told at once; but the list may be late, and until then the statement stays as it is.
    assert (hold.reason, world.feed().flight is None) == ("invalid-dates", False)
    world.now += LISTED_WITHIN
    world.upstream.answers.append(FUTURE_DATES)
    lift_all(world)
    world.run()
    [hold] = hold_items.holds(world.store)
    assert (hold.reason, world.feed().flight) == ("invalid-dates", None)


def back_and_forth(world: World) -> None:
    """A payment and its reversal on one day. The same payment again (`pay_again`) looks like the first statement."""
    _list_as_xero_does(world)
    for number, (amount, opening) in enumerate([(50.0, 0.0), (-50.0, 50.0)], 1):
        world.push(transactions(1, start=number, opening=opening, amount=amount))
        world.run()


def pay_again(world: World) -> PushOperation:
    operation = world.push(transactions(1, start=3, amount=50.0))
    world.step()
    world.step()
    return operation


def test_an_earlier_statement_that_looks_the_same_does_not_swallow_one_that_never_arrived(world: World) -> None:
    back_and_forth(world)
    world.upstream.answers.append(NoAnswer(reason="timed out"))
    operation = pay_again(world)
    world.store.commit(feed_items.put_feed(world.feed().but(feed_connection_id="fc-another")))
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_an_earlier_statement_that_looks_the_same_does_not_hide_the_rejection_of_a_later_one(world: World) -> None:
    back_and_forth(world)
    world.upstream.lost.append(NoAnswer(reason="timed out"))
    operation = pay_again(world)
    rejected = Problem(type="account-not-valid", title="Account not valid", status=422)
    world.upstream.statuses["statement-3"] = Accepted(
        statement_id="statement-3", status=StatementStatus.REJECTED, problems=(rejected,)
    )
    world.run()
    assert world.operation(operation.key).status is PushStatus.FAILED
    assert [hold.problem for hold in hold_items.holds(world.store)] == [rejected]


def _list_as_xero_does(world: World) -> None:
    """Makes the fake find statements by feed connection, balances and length, not by their lines."""
    upstream, listed = world.upstream, dict[str, tuple[Any, ...]]()
    real_post = upstream.post_statement

    def identity(request: bytes) -> tuple[Any, ...]:
        value = json.loads(request)
        return value["feed"], *value["balances"], len(value["lines"])

    def post(access: TenantAccess, request: bytes, key: str) -> PostAnswer:
        count = len(upstream.taken)
        answer = real_post(access, request, key)
        if len(upstream.taken) > count:
            listed[f"statement-{count + 1}"] = identity(request)
        return answer

    def find(access: TenantAccess, request: bytes, others: Collection[str], place: SearchPlace) -> SearchAnswer:
        ids = [id for id, fields in listed.items() if fields == identity(request) and id not in others]
        return upstream.statuses[ids[0]] if ids else None

    upstream.post_statement, upstream.find_statement = post, find  # type: ignore[method-assign]
