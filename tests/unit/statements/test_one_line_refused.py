"""A statement refused for one line: those before it arrive, the hold names it, and the rest goes once it is aside."""

from __future__ import annotations

from math import log2

import pytest

from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import Accepted, PostAnswer, StatementStatus, StatusAnswer, TenantAccess
from feedlane.holds import items as hold_items
from feedlane.holds.held_feeds import count_waiting
from feedlane.holds.hold import Hold
from feedlane.holds.shapes import hold_json
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementState
from tests.fakes.upstream import LINE_REFUSED, REJECTED
from tests.hold_actions import lift
from tests.interruptions import Crashed, crash_at
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World()


def ids(first: int, last: int) -> list[str]:
    return [f"t{number}" for number in range(first, last + 1)]


def the_hold(world: World) -> Hold:
    [hold] = hold_items.holds(world.store)
    return hold


@pytest.mark.parametrize("bad", [1, 2, 500, 999, 1000])
def test_of_a_thousand_lines_only_the_refused_one_and_those_behind_it_wait(world: World, bad: int) -> None:
    world.upstream.poison[f"t{bad}"] = LINE_REFUSED
    before = world.push(transactions(1000))
    world.run()
    assert world.sent_ids() == ids(1, bad - 1)
    hold = the_hold(world)
    assert (hold.reason, hold.line, hold.transaction_id) == ("invalid-data", bad, f"t{bad}")
    shown = hold_json(hold, count_waiting(world.store, hold))
    assert (shown["line"], shown["transactionId"], shown["waiting"]) == (bad, f"t{bad}", 1001 - bad)
    [event] = world.events("bankFeeds.held")
    assert (event.payload["line"], event.payload["transactionId"]) == (bad, f"t{bad}")
    assert world.operation(before.key).status is PushStatus.FAILED
    # The whole, and then at most two for each halving
    assert len(world.upstream.posts) <= 2 + log2(1000) * 1.2

    [operation] = lift(world, hold, [f"t{bad}"])
    world.run()
    assert world.sent_ids() == [id for id in ids(1, 1000) if id != f"t{bad}"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert hold_items.holds(world.store) == []


def test_each_of_several_lines_is_named_in_turn(world: World) -> None:
    for bad in ("t3", "t4", "t17"):
        world.upstream.poison[bad] = LINE_REFUSED
    world.push(transactions(20))
    for bad in ("t3", "t4", "t17"):
        world.run()
        hold = the_hold(world)
        assert hold.transaction_id == bad
        lift(world, hold, [bad])
    world.run()
    assert world.sent_ids() == [id for id in ids(1, 20) if id not in world.upstream.poison]


def test_a_release_that_sets_nothing_aside_asks_for_that_line_alone(world: World) -> None:
    world.upstream.poison["t6"] = LINE_REFUSED
    world.push(transactions(10))
    world.run()
    posts = len(world.upstream.posts)
    lift(world, the_hold(world))
    world.run()
    assert len(world.upstream.posts) == posts + 1
    assert the_hold(world).transaction_id == "t6"
    # Mended at Xero: it goes, and the rest behind it at once
    del world.upstream.poison["t6"]
    lift(world, the_hold(world))
    world.run()
    assert world.sent_ids() == ids(1, 10)
    assert len(world.upstream.posts) == posts + 3


def test_what_is_only_too_large_together_goes_in_parts_and_holds_nothing(world: World) -> None:
    too_large = LINE_REFUSED.but(problem=LINE_REFUSED.problem.but(title="Request too large", status=413))
    real = world.upstream.post_statement

    def post(access: TenantAccess, request: bytes, key: str) -> PostAnswer:
        return too_large if request.count(b"Sale") > 30 else real(access, request, key)

    world.upstream.post_statement = post  # type: ignore[method-assign]
    operation = world.push(transactions(100))
    world.run()
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert world.sent_ids() == ids(1, 100)
    assert world.events("bankFeeds.held") == []


def test_what_is_refused_for_the_account_is_not_taken_apart(world: World) -> None:
    world.upstream.answers.append(REJECTED)
    world.push(transactions(8))
    world.run()
    assert len(world.upstream.posts) == 1
    hold = the_hold(world)
    assert (hold.reason, hold.line, hold.transaction_id) == ("account-not-valid", None, None)
    assert "line" not in hold_json(hold, count_waiting(world.store, hold))


def test_what_xero_rejects_later_for_one_line_is_taken_apart_too(world: World) -> None:
    world.upstream.refusal_for_rejection = lambda access, problems: LINE_REFUSED  # type: ignore[method-assign]
    real = world.upstream.statement_status

    def status(access: TenantAccess, statement_id: str) -> StatusAnswer:
        taken = world.upstream.taken[int(statement_id.removeprefix("statement-")) - 1]
        if "t5" not in taken:
            return real(access, statement_id)
        taken.clear()
        return Accepted(statement_id=statement_id, status=StatementStatus.REJECTED, problems=(LINE_REFUSED.problem,))

    world.upstream.statement_status = status  # type: ignore[method-assign]
    world.push(transactions(8))
    world.run()
    hold = the_hold(world)
    assert (hold.line, hold.transaction_id) == (5, "t5")
    assert world.sent_ids() == ids(1, 4)
    first = statement_items.find_statement(world.store, world.feed().id, 1)
    assert first is not None
    assert first.state is StatementState.REJECTED
    # Lines that arrive meanwhile are not mixed with those that were rejected
    world.record(world.message(transactions(3, start=9, opening=80.0)))
    lift(world, hold, ["t5"])
    world.run()
    assert world.sent_ids() == [id for id in ids(1, 11) if id != "t5"]
    assert world.upstream.taken[-1] == ids(9, 11)


@pytest.mark.parametrize("step", range(1, 60, 2))
def test_a_crash_anywhere_changes_nothing(step: int) -> None:
    world = World()
    world.upstream.poison["t3"] = LINE_REFUSED
    world.record(world.message(transactions(6)))
    restore = crash_at(world, step)
    try:
        world.run()
    except Crashed:
        restore()
        world.queues.wake(world.feed().id)
        world.run()
    restore()
    assert the_hold(world).transaction_id == "t3"
    lift(world, the_hold(world), ["t3"])
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t4", "t5", "t6"]
