"""A statement that Xero answers with 500 for ever: reported as stuck, sent more rarely, resolved with no line twice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import pytest

from feedlane.errors import Conflict, Invalid
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.set_aside_items import read_set_aside
from feedlane.feeds.upstream import (
    Accepted,
    Failed,
    NoAnswer,
    PostAnswer,
    SearchAnswer,
    SearchPlace,
    StatementStatus,
    StatusAnswer,
    TenantAccess,
)
from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.statements import items as statement_items
from feedlane.statements.resolution import Resolution, resolve
from feedlane.statements.shapes import feed_json
from feedlane.statements.statement import STUCK_AFTER, StatementRecord, StatementState
from tests.builders import NOW
from tests.interruptions import crashes_everywhere
from tests.rights import acting_as
from tests.unit.statements.test_long_pending import pass_time
from tests.worlds.feeds import World, transactions

BROKEN = Failed(problem=Problem(type="internal-error", title="Intermittent Internal Xero Error", status=500))
# Four posts an hour on the first day, and one an hour after that.
POSTS_OF_A_DAY_MAX = 110


def failing(count: int = 5, answer: PostAnswer = BROKEN) -> World:
    """Xero answers every post of the first line with 500, and has taken nothing."""
    world = World()
    world.upstream.poison["t1"] = answer
    world.push(transactions(count))
    return world


def stuck(count: int = 5) -> World:
    world = failing(count)
    pass_time(world, STUCK_AFTER + timedelta(hours=1))
    assert world.events("bankFeeds.statement.stuck")
    return world


def statement(world: World, number: int = 1) -> StatementRecord:
    found = statement_items.find_statement(world.store, world.feed().id, number)
    assert found is not None
    return found


def resolve_as(world: World, outcome: Resolution, *set_aside: str) -> None:
    with acting_as("public_api"):
        resolve(world.ports, world.now, world.feed().id, 1, outcome, set_aside)


@pytest.mark.parametrize("answer", [BROKEN, NoAnswer(reason="timed out")], ids=["500", "no answer"])
def test_it_is_reported_once_after_a_day_shown_and_sent_once_an_hour(answer: PostAnswer) -> None:
    world = failing(answer=answer)
    pass_time(world, STUCK_AFTER - timedelta(hours=1))
    assert world.events("bankFeeds.statement.stuck") == []
    assert len(world.upstream.posts) < POSTS_OF_A_DAY_MAX
    pass_time(world, timedelta(hours=2))
    [event] = world.events("bankFeeds.statement.stuck")
    assert event.time - NOW < STUCK_AFTER + timedelta(hours=1)
    assert (event.payload["statementNumber"], event.payload["waiting"]) == (1, 5)
    assert "statementId" not in event.payload
    if answer is BROKEN:
        assert event.payload["problem"] == BROKEN.problem.model_dump()
    with acting_as("public_api"):
        shown = feed_json(world.feed(), statement(world))
    assert (shown["lastStatement"]["doubt"], shown["inFlight"]["status"]) == ("notConfirmed", "POSTING")
    assert hold_items.holds(world.store) == []
    before = len(world.upstream.posts)
    pass_time(world, timedelta(days=2))
    assert 40 < len(world.upstream.posts) - before < 50
    assert len(world.events("bankFeeds.statement.stuck")) == 1
    assert len(statement(world).problems) <= 1


def test_a_steady_stream_of_pushes_does_not_make_it_go_more_often() -> None:
    world = failing()
    for hour in range(48):
        world.record(world.message(transactions(1, start=6 + hour, opening=50.0 + 10 * hour)))
        pass_time(world, timedelta(minutes=30))
    assert len(world.upstream.posts) < POSTS_OF_A_DAY_MAX


def test_it_goes_by_itself_as_soon_as_xero_recovers() -> None:
    world = stuck()
    world.upstream.poison.clear()
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3", "t4", "t5"]
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    with acting_as("public_api"):
        assert feed_json(world.feed(), statement(world))["lastStatement"]["doubt"] is None


def test_one_that_xero_has_taken_in_spite_of_its_500_is_found_in_its_list_and_not_sent_again() -> None:
    world = World()
    world.upstream.lost.append(BROKEN)
    world.push(transactions(3))
    while not world.upstream.posts:
        world.step()
    world.upstream.poison["t1"] = BROKEN
    real = world.upstream.post_statement
    world.upstream.post_statement = lambda *_: BROKEN  # type: ignore[method-assign]
    world.run(steps_max=400)
    world.upstream.post_statement = real  # type: ignore[method-assign]
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert statement(world).state is StatementState.DELIVERED
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}


def test_delivered_moves_the_feed_on() -> None:
    world = stuck()
    world.record(world.message(transactions(1, start=6, opening=50.0)))
    resolve_as(world, Resolution.DELIVERED)
    world.run()
    assert world.sent_ids() == ["t6"]
    assert world.feed().waiting == 0
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    assert (statement(world).state, statement(world).resolved_as) == (StatementState.DELIVERED, "delivered")


def test_not_delivered_with_the_line_set_aside_sends_the_rest() -> None:
    world = stuck()
    resolve_as(world, Resolution.NOT_DELIVERED, "t1")
    world.run()
    assert world.sent_ids() == ["t2", "t3", "t4", "t5"]
    assert [line.transaction_id for line in read_set_aside(world.store, world.feed().id)] == ["t1"]
    assert (world.feed().set_aside, world.feed().set_aside_ahead, world.feed().waiting) == (1, 0, 0)
    [event] = world.events("bankFeeds.statement.resolved")
    assert (event.payload["outcome"], event.payload["setAside"]) == ("notDelivered", ["t1"])
    assert statement(world).state is StatementState.REFUSED


def test_not_delivered_sends_the_lines_in_halves_so_that_only_one_is_stuck_in_the_end() -> None:
    world = World()
    world.upstream.poison["t4"] = BROKEN
    world.push(transactions(5))
    pass_time(world, STUCK_AFTER + timedelta(hours=2))
    resolve_as(world, Resolution.NOT_DELIVERED)
    pass_time(world, timedelta(hours=2))
    assert world.sent_ids() == ["t1", "t2", "t3"]
    flight = world.feed().flight
    assert flight is not None
    assert (flight.first, flight.last) == (4, 4)


def test_not_delivered_although_xero_has_it_doubles_nothing_and_sets_nothing_aside() -> None:
    world = stuck()
    world.upstream.taken.append(["t1", "t2", "t3", "t4", "t5"])
    world.upstream.fed.append(world.feed().feed_connection_id)
    world.upstream.statuses["statement-1"] = _delivered()
    resolve_as(world, Resolution.NOT_DELIVERED, "t1")
    posts = len(world.upstream.posts)
    world.run()
    assert len(world.upstream.posts) == posts
    assert world.sent_ids() == ["t1", "t2", "t3", "t4", "t5"]
    assert (world.feed().set_aside, world.feed().waiting) == (0, 0)
    assert statement(world).state is StatementState.DELIVERED


def test_a_search_that_fails_is_made_again_before_anything_goes() -> None:
    world = stuck()
    world.upstream.poison.clear()
    real, searches = world.upstream.find_statement, [NoAnswer(reason="timed out")]

    def find(access: TenantAccess, request: bytes, others: Collection[str], place: SearchPlace) -> SearchAnswer:
        return searches.pop() if searches else real(access, request, others, place)

    world.upstream.find_statement = find  # type: ignore[method-assign]
    resolve_as(world, Resolution.NOT_DELIVERED, "t1")
    posts = len(world.upstream.posts)
    pass_time(world, timedelta(minutes=10))
    assert (searches, len(world.upstream.posts)) == ([], posts)
    world.run()
    assert world.sent_ids() == ["t2", "t3", "t4", "t5"]


def test_only_lines_of_the_statement_can_be_set_aside_with_it() -> None:
    world = stuck()
    world.record(world.message(transactions(1, start=6, opening=50.0)))
    for id in ("t6", "t9"):
        with pytest.raises(Invalid):
            resolve_as(world, Resolution.NOT_DELIVERED, id)
    with pytest.raises(Invalid):
        resolve_as(world, Resolution.DELIVERED, "t1")
    assert world.events("bankFeeds.statement.resolved") == []


def test_before_a_day_has_passed_nobody_can_resolve_it() -> None:
    world = failing()
    pass_time(world, timedelta(hours=5))
    with pytest.raises(Conflict, match="24 hours"):
        resolve_as(world, Resolution.NOT_DELIVERED)


@pytest.mark.parametrize("outcome", Resolution)
def test_a_crash_at_any_step_leaves_it_stuck_or_resolved(outcome: Resolution) -> None:
    worlds = 0
    for world in crashes_everywhere(stuck, lambda world: resolve_as(world, outcome)):
        worlds += 1
        if not world.events("bankFeeds.statement.resolved"):
            resolve_as(world, outcome)
        world.upstream.poison.clear()
        world.run()
        assert world.sent_ids() == ([] if outcome is Resolution.DELIVERED else ["t1", "t2", "t3", "t4", "t5"])
        assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    assert worlds > 2


def _delivered() -> StatusAnswer:
    return Accepted(statement_id="statement-1", status=StatementStatus.DELIVERED)
