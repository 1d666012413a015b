"""A release while something else happens: no operation fails because of a lifted hold, and what waits is sent."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.feeds.push_operation import Door, PushStatus
from feedlane.holds import items as hold_items
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.settings.changes import change_settings
from feedlane.store import keys
from feedlane.store.table import Index
from tests.builders import COMPANY
from tests.fakes.upstream import NO_FEEDS
from tests.hold_actions import hold_app, hold_tenant, lift
from tests.interruptions import Crashed, contend, crash_on_wake, just_before
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World(accounts=("account-1", "account-2"))


def test_a_release_in_between_is_not_failed_by_the_hold_it_lifted(world: World) -> None:
    world.record(world.message(transactions(2)))
    hold = hold_app(world)
    just_before(world, "query", lambda: lift(world, hold), touching="OPEN#")
    world.run()
    assert {operation.door: operation.status for operation in world.operations()}["release"] is PushStatus.SUCCESS


def test_what_was_recorded_while_a_hold_was_lifted_is_told_of_its_delivery(world: World) -> None:
    hold = hold_app(world)
    world.record(world.message(transactions(2)))
    late = world.message(transactions(2, start=3, opening=20.0))
    just_before(world, "commit", lambda: world.record(late), touching="bankFeeds.released")
    lift(world, hold)
    world.run()
    delivered = [operation.through for operation in world.operations() if operation.status is PushStatus.SUCCESS]
    assert max(delivered) == world.feed().delivered_through == 4


def test_what_an_idle_feed_records_while_a_hold_is_lifted_goes_on_under_an_operation_of_its_own(world: World) -> None:
    """Its wake-up still finds the hold, and the release has already read the feed."""
    hold = hold_app(world)
    world.record(world.message(transactions(2)))
    late = world.message(transactions(2), "account-2")

    def record_and_send() -> None:
        world.record(late)
        while world.queues.woken:
            world.sender.send(world.queues.woken.pop(0))

    just_before(world, "commit", record_and_send, touching="bankFeeds.released")
    lift(world, hold)
    world.run()
    assert world.feed("account-2").waiting == 0
    of_feed = [operation for operation in world.operations() if operation.account_id == "account-2"]
    assert [operation.door for operation in of_feed if operation.status is PushStatus.SUCCESS] == ["release"]


def test_a_release_sees_what_the_index_does_not_know_yet(world: World) -> None:
    hold = hold_tenant(world)
    table = world.store.table
    lagging, real = list(table.query(keys.tenant("tenant-1"), index=Index.LISTS)), table.query
    table.query = lambda pk, **options: lagging if options.get("index") else real(pk, **options)  # type: ignore[method-assign]
    world.record(world.message(transactions(2)))
    world.run()
    lift(world, hold)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_switching_on_survives_a_crash_before_the_feeds_are_woken(world: World) -> None:
    world.record(world.message(transactions(2)))
    change_settings(world.ports, world.now, {"bank_feeds": False})
    world.run()
    crash_on_wake(world)
    with pytest.raises(Crashed):
        change_settings(world.ports, world.now, {"bank_feeds": True})
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_a_hold_of_a_tenant_is_released_although_a_company_of_it_was_deleted(world: World) -> None:
    world.upstream.answers.append(NO_FEEDS)
    world.push(transactions(2))
    world.run()
    [hold] = hold_items.holds(world.store)
    world.store.commit(company_items.remove_company(company_items.company(world.store, COMPANY)))
    lift(world, hold)
    assert hold_items.holds(world.store) == []


def test_a_release_that_meets_another_writer_is_done_all_the_same(world: World) -> None:
    hold = hold_app(world)
    contend(world, touching="HOLD#")
    lift(world, hold)
    assert world.store.table.get(keys.hold(Scope.APP, APP_SUBJECT)) is None


@pytest.mark.parametrize("is_held", [True, False], ids=["recorded as held", "failed after"])
def test_what_fails_by_a_hold_while_it_is_being_lifted_goes_on_under_an_operation(world: World, is_held: bool) -> None:
    """The release has read the feeds, and found no waiting lines, when a push is recorded and fails by the hold."""
    hold = hold_app(world) if is_held else None
    message = world.message(transactions(2))
    if hold is None:
        world.record(message)
        hold = hold_app(world)

    def record_and_fail() -> None:
        if is_held:
            world.record(message)
        else:
            world.sender.send(world.feed().id)
        assert [operation.status for operation in world.operations()] == [PushStatus.FAILED]

    just_before(world, "commit", record_and_fail, touching="bankFeeds.released")
    lift(world, hold)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert {operation.door: operation.status for operation in world.operations()} == {
        Door.QUEUE: PushStatus.FAILED,
        Door.RELEASE: PushStatus.SUCCESS,
    }
