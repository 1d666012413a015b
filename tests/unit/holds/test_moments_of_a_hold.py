"""A hold placed while something else happens: it fails exactly the operations it concerns, each once."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds.hold import Hold
from feedlane.scope import Scope
from feedlane.store.store import Store
from tests.builders import COMPANY
from tests.fakes.upstream import NO_FEEDS
from tests.hold_actions import hold_app, hold_tenant
from tests.interruptions import Crashed, contend, crash_on_wake, just_before
from tests.worlds.feeds import World, transactions

ENDS = ("bankTransactions.write.successful", "bankTransactions.write.unsuccessful")


@pytest.fixture
def world() -> World:
    return World(accounts=("account-1", "account-2"))


def run_but_crash(world: World) -> None:
    """Works off the queues until a crash."""
    with pytest.raises(Crashed):
        world.run()


def test_an_operation_that_another_has_just_ended_has_one_end_event(world: World) -> None:
    operation = world.push(transactions(2))
    world.step()
    hold_app(world)
    feed_id = world.feed().id
    just_before(world, "get_many", lambda: world.sender.send(feed_id), touching="PUSH#")
    world.sender.send(feed_id)
    assert world.operation(operation.key).status is PushStatus.FAILED
    assert len(world.events(*ENDS)) == 1


def test_a_hold_that_meets_another_writer_is_written_all_the_same(world: World) -> None:
    world.upstream.answers.append(NO_FEEDS)
    world.push(transactions(2))
    contend(world, touching="HOLD#")
    world.run()
    assert [hold.scope for hold in hold_items.holds(world.store)] == [Scope.TENANT]
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
    assert [world.operation(operation.key).status for operation in (first, second)] == [PushStatus.FAILED] * 2


def test_a_refusal_that_finds_a_hold_makes_none_anew_when_that_is_lifted_at_this_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one would reach the other feeds only if nothing crashes: no follow-up message is scheduled for it."""
    world.push(transactions(2))
    company = company_items.company(world.store, COMPANY)
    standing, feed = hold_tenant(world), world.feed()
    real = hold_items.holds_on

    def read_and_lift(store: Store, subjects: Any) -> list[Hold]:
        holds = real(store, subjects)
        monkeypatch.undo()
        world.store.commit(*hold_items.remove_holds([standing]))
        return holds

    monkeypatch.setattr(hold_items, "holds_on", read_and_lift)
    hold = placement.hold_feed(world.ports, feed, NO_FEEDS, company, world.now)
    assert (hold.id, hold_items.holds(world.store), world.events("bankFeeds.held")) == (standing.id, [], [])


def test_what_waits_behind_a_pending_statement_is_told_of_a_hold(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    late = world.message(transactions(2, start=3, opening=20.0))
    just_before(world, "commit", lambda: bool(hold_app(world)) or None, touching="LINES#")
    world.record(late)
    world.step()
    assert PushStatus.FAILED in {operation.status for operation in world.operations()}


def test_the_feed_of_a_deleted_company_ends_quietly(world: World) -> None:
    world.push(transactions(2))
    world.step()
    world.step()
    hold_app(world)
    world.store.commit(company_items.remove_company(company_items.company(world.store, COMPANY)))
    world.run()
    assert world.queues.dead_letters == []


def test_a_hold_does_not_fail_what_the_upstream_has_taken_since_the_feed_was_read(world: World) -> None:
    """One wake-up has read the feed after its first statement; then another sends the second, and a hold is placed."""
    world.push(transactions(1))
    operation = push_behind_pending(world)

    def send_second_and_hold() -> None:
        while len(world.upstream.taken) < 2:
            world.step()
        hold_app(world)

    just_before(world, "get_many", send_second_and_hold, touching="HOLD#")
    world.sender.send(world.feed().id)
    assert world.sent_ids() == ["t1", "t2"]
    assert world.operation(operation.key).status is PushStatus.PENDING
    world.run()
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert world.events("bankTransactions.write.unsuccessful") == []


def push_behind_pending(world: World) -> PushOperation:
    """A push recorded behind the feed's first statement, which is PENDING."""
    while not world.upstream.taken:
        world.step()
    operation = world.push(transactions(1, start=2, opening=10.0))
    world.record(*world.take_pushed())
    return operation
