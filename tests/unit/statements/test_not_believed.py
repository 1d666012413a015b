"""Nothing counts as delivered that Xero did not take: without the statement that has the lines, they stay in doubt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from feedlane.errors import Conflict
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Accepted, AlreadyReceived, NoAnswer, SearchPlace, StatementStatus, TryLater
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.statements import items as statement_items
from feedlane.statements.doubt import LISTED_WITHIN, PAGES_PER_RUN
from feedlane.statements.resolution import Resolution, resolve
from feedlane.statements.shapes import feed_json
from feedlane.statements.statement import Doubt, StatementRecord, StatementState
from tests.fakes.upstream import REJECTED
from tests.hold_actions import lift_all
from tests.rights import acting_as
from tests.unit.statements.test_long_pending import pass_time
from tests.worlds.feeds import World, transactions

DUPLICATE = Problem(type="duplicate-statement", title="Duplicate Statement Received", status=409)
ARCHIVED = Problem(type="account-not-valid", title="Account not valid", status=422)
STUCK = "bankFeeds.statement.stuck"


@pytest.fixture
def world() -> World:
    return World()


def statement(world: World, number: int = 1) -> StatementRecord:
    found = statement_items.find_statement(world.store, world.feed().id, number)
    assert found is not None
    return found


def ends(world: World, id: str, status: StatementStatus, *problems: Problem, lines: int | None = None) -> None:
    world.upstream.statuses[id] = Accepted(statement_id=id, status=status, problems=problems, lines=lines)


def hide(world: World) -> None:
    """Xero lists nothing."""
    world.upstream.find_statement = lambda *_: None  # type: ignore[method-assign]


def called_a_duplicate(world: World) -> str:
    """Xero says at the first post that it has the lines, and lists nothing. Returns the operation's key."""
    hide(world)
    world.upstream.answers.append(AlreadyReceived())
    operation = world.push(transactions(2))
    pass_time(world, timedelta(hours=2))
    return operation.key


def test_a_duplicate_that_xero_lists_nowhere_is_not_delivered_and_is_told_once(world: World) -> None:
    key = called_a_duplicate(world)
    pass_time(world, timedelta(days=3))
    assert world.feed().delivered_through == 0
    assert world.operation(key).status is PushStatus.PENDING
    [event] = world.events(STUCK)
    assert (event.payload["reason"], event.payload["statementNumber"]) == ("duplicate", 1)
    assert feed_json(world.feed(), statement(world))["lastStatement"]["doubt"] == "duplicate"


def test_it_is_asked_for_seldom_once_it_is_told(world: World) -> None:
    called_a_duplicate(world)
    asked: list[object] = []
    world.upstream.find_statement = lambda *arguments: asked.append(arguments)  # type: ignore[method-assign,assignment]
    pass_time(world, timedelta(days=2))
    assert 6 <= len(asked) <= 9
    assert len(world.upstream.posts) == 1


def test_a_statement_that_is_listed_late_is_found_and_followed_to_its_end(world: World) -> None:
    real = world.upstream.find_statement
    hide(world)
    world.upstream.lost.append(NoAnswer(reason="timed out"))
    operation = world.push(transactions(2))
    pass_time(world, timedelta(minutes=5))
    assert world.feed().delivered_through == 0
    world.upstream.find_statement = real  # type: ignore[method-assign]
    world.run()
    assert (statement(world).state, statement(world).upstream_id) == (StatementState.DELIVERED, "statement-1")
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert world.events(STUCK) == []


def test_one_rejected_as_a_duplicate_is_not_delivered_before_the_other_is_found(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    ends(world, "statement-1", StatementStatus.REJECTED, DUPLICATE)
    others: list[Any] = []

    def find(*arguments: Any) -> Accepted | None:
        others.append(arguments[2])
        return None

    world.upstream.find_statement = find  # type: ignore[method-assign]
    pass_time(world, timedelta(hours=2))
    assert world.feed().delivered_through == 0
    assert [event.payload["reason"] for event in world.events(STUCK)] == ["duplicate"]
    assert all("statement-1" in ids for ids in others)
    assert len(world.upstream.posts) == 1
    ends(world, "statement-0", StatementStatus.DELIVERED)
    world.upstream.find_statement = lambda *_: world.upstream.statuses["statement-0"]  # type: ignore[method-assign,assignment]
    world.run()
    assert (statement(world).state, statement(world).upstream_id) == (StatementState.DELIVERED, "statement-0")
    assert world.feed().delivered_through == 2


def test_lines_that_xero_dropped_are_not_delivered_and_are_counted(world: World) -> None:
    operation = world.push(transactions(3))
    world.step()
    world.step()
    ends(world, "statement-1", StatementStatus.DELIVERED, lines=2)
    pass_time(world, timedelta(hours=1))
    assert world.operation(operation.key).status is PushStatus.PENDING
    [event] = world.events(STUCK)
    assert (event.payload["reason"], event.payload["transactions"], event.payload["transactionsAtXero"]) == (
        "linesMissing",
        3,
        2,
    )
    with pytest.raises(Conflict, match="2 of the statement's 3"):
        resolve(world.ports, world.now, world.feed().id, 1, Resolution.NOT_DELIVERED)
    resolve(world.ports, world.now, world.feed().id, 1, Resolution.DELIVERED)
    assert world.operation(operation.key).status is PushStatus.SUCCESS


@pytest.mark.parametrize("lines", [None, 3])
def test_a_statement_with_all_its_lines_or_without_a_count_is_delivered(world: World, lines: int | None) -> None:
    operation = world.push(transactions(3))
    world.step()
    world.step()
    ends(world, "statement-1", StatementStatus.DELIVERED, lines=lines)
    world.run()
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_not_delivered_sends_the_lines_under_other_ids_and_later_ones_under_their_own(world: World) -> None:
    key = called_a_duplicate(world)
    world.push(transactions(1, start=3, opening=20.0))
    pass_time(world, timedelta(minutes=1))
    resolve(world.ports, world.now, world.feed().id, 1, Resolution.NOT_DELIVERED)
    del world.upstream.find_statement  # type: ignore[attr-defined]
    pass_time(world, timedelta(hours=1))
    assert world.upstream.taken == [["t1~1", "t2~1"], ["t3"]]
    assert world.operation(key).status is PushStatus.SUCCESS
    assert (statement(world).state, statement(world).resolved_as) == (StatementState.REFUSED, "notDelivered")
    assert (world.feed().id_turn, world.feed().delivered_through) == (0, 3)


def test_other_ids_end_with_the_lines_that_needed_them(world: World) -> None:
    called_a_duplicate(world)
    with acting_as("public_api"):
        resolve(world.ports, world.now, world.feed().id, 1, Resolution.NOT_DELIVERED, ["t1", "t2"])
    del world.upstream.find_statement  # type: ignore[attr-defined]
    world.run()
    world.upstream.answers.append(REJECTED)
    world.record(world.message(transactions(1, start=3, opening=20.0)))
    world.run()
    lift_all(world)
    world.run()
    assert world.sent_ids() == ["t3"]


def test_delivered_is_believed_of_the_operator(world: World) -> None:
    key = called_a_duplicate(world)
    resolve(world.ports, world.now, world.feed().id, 1, Resolution.DELIVERED)
    assert world.operation(key).status is PushStatus.SUCCESS
    assert statement(world).doubt is None
    assert [event.payload["outcome"] for event in world.events("bankFeeds.statement.resolved")] == ["delivered"]


def test_nobody_resolves_it_before_it_is_told(world: World) -> None:
    hide(world)
    world.upstream.answers.append(AlreadyReceived())
    world.push(transactions(2))
    pass_time(world, LISTED_WITHIN / 2)
    with pytest.raises(Conflict, match="may still finish"):
        resolve(world.ports, world.now, world.feed().id, 1, Resolution.NOT_DELIVERED)


def test_lines_that_xero_may_know_are_never_mixed_with_new_ones(world: World) -> None:
    """It would take the new ones, drop those that it knows from the rejected statement, and call that delivered."""
    world.push(transactions(2))
    world.step()
    world.step()
    ends(world, "statement-1", StatementStatus.REJECTED, ARCHIVED)
    world.run()
    assert len(hold_items.holds(world.store)) == 1
    world.record(world.message(transactions(2, start=3, opening=20.0)))
    world.upstream.taken[0] = []  # its ids are free again
    lift_all(world)
    world.run()
    assert world.upstream.taken[1:] == [["t1", "t2"], ["t3", "t4"]]
    assert world.feed().delivered_through == 4


def test_a_rejected_statement_of_before_is_not_found_again_and_again(world: World) -> None:
    """Where the ids of a rejected statement stay used, its lines are a duplicate, and the list shows only that one."""
    world.push(transactions(2))
    world.step()
    world.step()
    ends(world, "statement-1", StatementStatus.REJECTED, ARCHIVED)
    world.run()

    def find(access: object, request: object, others: Any, place: object) -> Accepted | None:
        return None if "statement-1" in others else world.upstream.statuses["statement-1"]  # type: ignore[return-value]

    world.upstream.find_statement = find  # type: ignore[method-assign,assignment]
    lift_all(world)
    pass_time(world, timedelta(hours=2))
    assert hold_items.holds(world.store) == []
    assert [event.payload["reason"] for event in world.events(STUCK)] == ["duplicate"]
    resolve(world.ports, world.now, world.feed().id, 2, Resolution.NOT_DELIVERED)
    world.run()
    assert world.upstream.taken[-1] == ["t1~1", "t2~1"]
    assert world.feed().delivered_through == 2


def test_a_long_list_is_read_on_where_the_last_invocation_stopped(world: World) -> None:
    """120 pages, which is more than one invocation may read; a limit stops it once."""
    asked: list[int] = []

    def find(access: object, request: object, others: object, place: SearchPlace) -> SearchPlace | Accepted | TryLater:
        asked.append(place.page)
        if place.page == 50 and asked.count(50) == 1:
            return TryLater(scope=Scope.TENANT, seconds=40, reason="limit")
        if place.page < 120:
            return place.but(page=place.page + 1)
        return Accepted(statement_id="statement-9", status=StatementStatus.PENDING)

    world.upstream.find_statement = find  # type: ignore[method-assign,assignment]
    world.upstream.answers.append(AlreadyReceived())
    ends(world, "statement-9", StatementStatus.DELIVERED)
    world.push(transactions(2))
    while not asked:
        world.step()
    assert asked == list(range(1, PAGES_PER_RUN + 1))
    assert statement(world).search is not None
    world.run()
    assert asked == [*range(1, 51), *range(50, 121)]
    assert len(world.upstream.posts) == 1
    assert statement(world).upstream_id == "statement-9"
    assert world.feed().delivered_through == 2


def test_a_search_that_is_interrupted_goes_on_at_the_same_page(world: World) -> None:
    answers: list[Any] = [2, 3, NoAnswer(reason="timed out"), 4, None]
    asked: list[int] = []

    def find(access: object, request: object, others: object, place: SearchPlace) -> Any:
        asked.append(place.page)
        answer = answers.pop(0)
        return place.but(page=answer) if isinstance(answer, int) else answer

    world.upstream.find_statement = find  # type: ignore[method-assign]
    world.upstream.answers.append(AlreadyReceived())
    world.push(transactions(2))
    while answers:
        world.step()
    assert asked == [1, 2, 3, 3, 4]


def test_every_doubt_has_a_name_that_the_event_may_have() -> None:
    assert set(Doubt) == {"notEnded", "duplicate", "linesMissing", "notConfirmed"}
