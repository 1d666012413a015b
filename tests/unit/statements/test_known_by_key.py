"""An upstream that knows a statement again only by its key, and for a while: one in doubt is looked for first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.feeds.feed import FlightStatus
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Accepted, Ambiguous, Failed, NoAnswer, StatementStatus, TryLater
from feedlane.mapping import unmapping
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.statements import items as statement_items
from feedlane.statements.doubt import LISTED_WITHIN
from feedlane.statements.resolution import Resolution, resolve
from tests.builders import ACCOUNT, linked
from tests.rights import acting_as
from tests.unit.statements.test_long_pending import pass_time
from tests.unit.statements.test_not_believed import statement
from tests.worlds.feeds import World, transactions

LOST = NoAnswer(reason="ReadTimeout")
FAILED = Failed(problem=Problem(type="internal-error", title="Internal", status=500))
OUTAGE = TryLater(scope=Scope.TENANT, seconds=5, reason="outage", is_outage=True, key_is_spent=True)
OTHER = "src-2"


@pytest.fixture
def world() -> World:
    world = World((ACCOUNT, OTHER))
    world.upstream.memory = timedelta(hours=1)
    return world


def list_shows(world: World, *answers: Any) -> list[Any]:
    """What the list answers; the last answer stays. Returns the arguments it was asked with."""
    asked: list[Any] = []
    left = list(answers)

    def find(*arguments: Any) -> Any:
        asked.append(arguments)
        return left.pop(0) if len(left) > 1 else left[0]

    world.upstream.find_statement = find  # type: ignore[method-assign]
    return asked


def test_a_lost_answer_is_settled_by_the_list_before_anything_goes_again(world: World) -> None:
    world.upstream.lost = [LOST]
    operation = world.push(transactions(3))
    world.run()
    assert len(world.upstream.posts) == 1
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_what_is_not_listed_goes_again_under_the_same_key(world: World) -> None:
    world.upstream.answers = [LOST, LOST]
    operation = world.push(transactions(3))
    asked = list_shows(world, None)
    world.run()
    assert len(asked) == 2
    assert len(set(world.upstream.posts)) == 1
    assert len(world.upstream.posts) == 3
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_a_list_that_cannot_tell_leaves_it_to_the_key(world: World) -> None:
    world.upstream.lost = [LOST]
    operation = world.push(transactions(3))
    list_shows(world, Ambiguous())
    posted = world.upstream.post_statement

    def same_again(access: Any, request: bytes, key: str) -> Any:
        if (key, request) in world.upstream.posts:
            return Accepted(statement_id="statement-1", status=StatementStatus.PENDING)
        return posted(access, request, key)

    world.upstream.post_statement = same_again  # type: ignore[method-assign]
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_what_the_list_shows_by_its_content_is_ours_though_another_feed_is_in_doubt_too(world: World) -> None:
    """Codat has forgotten the keys: posted again, both would be there twice."""
    world.upstream.lost = [LOST, LOST]
    operations = [world.push(transactions(2)), world.push(transactions(3), OTHER)]
    find = world.upstream.find_statement

    def by_content(*arguments: Any) -> Any:
        found = find(*arguments)
        return found and found.but(by_content=True)

    world.upstream.find_statement = by_content  # type: ignore[method-assign]
    world.run()
    assert len(world.upstream.posts) == 2
    assert {world.operation(one.key).status for one in operations} == {PushStatus.SUCCESS}


@pytest.mark.parametrize("answer", [FAILED, LOST])
def test_once_the_key_is_no_proof_only_two_looks_prove_that_it_did_not_arrive(world: World, answer: Any) -> None:
    """The key is spent by the failure, or forgotten in a long outage."""
    world.upstream.answers = [answer]
    operation = world.push(transactions(3))
    asked = list_shows(world, TryLater(scope=Scope.TENANT, seconds=5000, reason="outage"), None)
    began = world.now
    world.run()
    first, last = world.upstream.posts[0], world.upstream.posts[-1]
    assert len(world.upstream.posts) == 2
    assert first[0] != last[0]
    assert len(asked) >= 3
    assert world.now - began >= LISTED_WITHIN
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_an_ambiguous_list_after_that_is_told_and_nothing_goes_again(world: World) -> None:
    world.upstream.answers = [FAILED]
    world.push(transactions(3))
    list_shows(world, Ambiguous())
    pass_time(world, timedelta(days=2))
    assert len(world.upstream.posts) == 1
    assert len(world.events("bankFeeds.statement.stuck")) == 1
    list_shows(world, None)
    pass_time(world, timedelta(hours=3))
    assert world.sent_ids() == ["t1", "t2", "t3"]


def test_after_maintenance_the_same_bytes_go_again_under_a_new_key(world: World) -> None:
    world.upstream.answers = [OUTAGE]
    world.push(transactions(3))
    world.run()
    [(first, bytes_1), (second, bytes_2)] = world.upstream.posts
    assert first != second
    assert bytes_1 == bytes_2


def knows_keys(world: World) -> None:
    """Posts are answered as before under the same key; the list has no content, and is that of all feeds."""
    upstream, kept = world.upstream, dict[str, Any]()
    posted = upstream.post_statement

    def post(access: Any, request: bytes, key: str) -> Any:
        if key in kept:
            return kept[key]
        count = len(upstream.taken)
        answer = posted(access, request, key)
        if len(upstream.taken) > count:
            id = f"statement-{len(upstream.taken)}"
            kept[key] = Accepted(statement_id=id, status=StatementStatus.PENDING)
        return answer

    def find(access: Any, request: bytes, others: Any, place: Any) -> Any:
        unknown = [id for id in upstream.statuses if id not in others]
        if not unknown:
            return None
        return upstream.statuses[unknown[0]] if len(unknown) == 1 and place.alone else Ambiguous()

    upstream.post_statement = post  # type: ignore[method-assign]
    upstream.find_statement = find  # type: ignore[method-assign]


@pytest.mark.parametrize("which", ["the first arrived", "the second arrived", "both", "none"])
def test_a_push_of_another_feed_is_not_taken_for_this_one(world: World, which: str) -> None:
    """Two feeds of a connection lose their answers, and perhaps one push has arrived: it could be either's."""
    knows_keys(world)
    posted, count = world.upstream.post_statement, 0
    arrives = {"the first arrived": (0,), "the second arrived": (1,), "both": (0, 1), "none": ()}[which]

    def lose(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count > 2:
            return posted(*arguments)
        if count - 1 in arrives:
            posted(*arguments)
        return LOST

    world.upstream.post_statement = lose  # type: ignore[method-assign]
    world.push(transactions(1))
    world.push(transactions(1, start=5), OTHER)
    world.run()
    assert sorted(world.sent_ids()) == ["t1", "t5"]
    assert (world.feed().delivered_through, world.feed(OTHER).delivered_through) == (1, 1)


def test_the_pushes_of_all_feeds_of_the_connection_are_known(world: World) -> None:
    world.push(transactions(1))
    world.push(transactions(1, start=5), OTHER)
    world.run()
    world.upstream.lost = [LOST]
    world.push(transactions(1, start=2, opening=10))
    asked = list_shows(world, Accepted(statement_id="statement-3", status=StatementStatus.PENDING))
    world.run()
    [(_, _, others, place)] = asked
    assert others == {"statement-1", "statement-2"}
    assert place.alone
    assert world.feed().delivered_through == 2


def test_the_same_failure_is_kept_once_though_each_answer_has_an_id_of_its_own(world: World) -> None:
    world.upstream.memory = None
    problem = FAILED.problem
    world.upstream.answers = [Failed(problem=problem.but(answer=f'{{"correlationId": {n}}}')) for n in range(3)]
    world.push(transactions(1))
    world.run()
    assert [kept.but(answer="") for kept in statement(world).problems] == [problem]


def test_the_push_of_an_account_that_was_removed_meanwhile_is_not_taken_for_this_one(world: World) -> None:
    knows_keys(world)
    world.push(transactions(1, start=5), OTHER)
    while world.feed(OTHER).flight is None or world.feed(OTHER).flight.status is not FlightStatus.PENDING:  # type: ignore[union-attr]
        assert world.step()
    account = company_items.source_account(world.store, linked().id, OTHER)
    with acting_as("public_api"):
        unmapping.remove_account(world.ports, world.upstream, world.now, linked(), account)
    world.upstream.answers = [LOST]
    world.push(transactions(1))
    world.run()
    assert sorted(world.sent_ids()) == ["t1", "t5"]
    assert world.feed().delivered_through == 1


def test_the_push_of_a_statement_that_an_operator_called_delivered_is_not_taken_for_this_one(world: World) -> None:
    """Nobody knows its id."""
    knows_keys(world)
    posted, posts = world.upstream.post_statement, 0

    def lose(*arguments: Any) -> Any:
        nonlocal posts
        posts += 1
        if posts == 1:
            posted(*arguments)
        return LOST

    world.upstream.post_statement = lose  # type: ignore[method-assign]
    world.push(transactions(1), OTHER)
    world.push(transactions(1, start=5))
    pass_time(world, timedelta(hours=25))
    other = statement_items.find_statement(world.store, world.feed(OTHER).id, 1)
    assert other is not None
    assert other.stuck
    with acting_as("public_api"):
        resolve(world.ports, world.now, world.feed(OTHER).id, 1, Resolution.DELIVERED)
    pass_time(world, timedelta(hours=3))
    assert world.feed().delivered_through == 0


def test_what_never_ends_goes_again_once_an_operator_says_that_it_did_not_arrive(world: World) -> None:
    """The list still has the push that never ends: it must not be found again and again."""
    knows_keys(world)
    operation = world.push(transactions(2))
    while not world.upstream.taken:
        world.step()
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=StatementStatus.PENDING)
    pass_time(world, timedelta(hours=25))
    assert statement(world).stuck
    world.upstream.taken[0] = []
    with acting_as("public_api"):
        resolve(world.ports, world.now, world.feed().id, 1, Resolution.NOT_DELIVERED)
    pass_time(world, timedelta(hours=2))
    assert world.sent_ids() == ["t1", "t2"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_nor_is_it_taken_for_the_push_of_another_feed(world: World) -> None:
    knows_keys(world)
    world.upstream.answers = [LOST]
    world.push(transactions(1))
    world.upstream.find_statement = lambda *_: NoAnswer(reason="ReadTimeout")  # type: ignore[method-assign]
    pass_time(world, timedelta(seconds=1))
    while not world.upstream.posts:
        world.step()
    other = world.push(transactions(1, start=5), OTHER)
    while world.feed(OTHER).flight is None or world.feed(OTHER).flight.status is not FlightStatus.PENDING:  # type: ignore[union-attr]
        assert world.step()
    world.upstream.statuses["statement-1"] = Accepted(statement_id="statement-1", status=StatementStatus.PENDING)
    pass_time(world, timedelta(hours=26))
    with acting_as("public_api"):
        resolve(world.ports, world.now, world.feed(OTHER).id, 1, Resolution.NOT_DELIVERED)
    others, _ = statement_items.upstream_ids_of_connection(world.store, world.feed(), statement(world))
    assert "statement-1" in others
    assert world.operation(other.key).status is not PushStatus.SUCCESS


@pytest.mark.parametrize("answer", [FAILED, LOST])
def test_what_fails_for_a_day_is_told_although_each_search_proves_that_it_did_not_arrive(
    world: World, answer: Any
) -> None:
    world.upstream.post_statement = lambda *_: answer  # type: ignore[method-assign]
    world.push(transactions(3))
    list_shows(world, None)
    pass_time(world, timedelta(days=2))
    assert len(world.events("bankFeeds.statement.stuck")) == 1


def test_then_an_operator_may_set_the_line_aside_that_it_fails_at(world: World) -> None:
    posted = world.upstream.post_statement

    def fail_at_t2(access: Any, request: bytes, key: str) -> Any:
        return FAILED if b'"t2"' in request else posted(access, request, key)

    world.upstream.post_statement = fail_at_t2  # type: ignore[method-assign]
    world.push(transactions(3))
    list_shows(world, None)
    pass_time(world, timedelta(hours=26))
    number = world.feed().statements
    with acting_as("public_api"):
        resolve(world.ports, world.now, world.feed().id, number, Resolution.NOT_DELIVERED, ["t2"])
    pass_time(world, timedelta(hours=3))
    assert world.sent_ids() == ["t1", "t3"]
    assert world.feed().waiting == 0
