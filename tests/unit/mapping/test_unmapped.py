"""A feed without a feed connection: its lines are held or fail, and no operation stays pending for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from feedlane.errors import Conflict
from feedlane.feeds.push_operation import PushStatus
from feedlane.holds import items as hold_items
from feedlane.mapping import refused
from tests.account_actions import map_again, remove, unmap
from tests.hold_actions import hold_tenant, lift
from tests.interruptions import just_before
from tests.worlds.feeds import World, transactions

Ending = Callable[[World], None]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("end", [unmap, remove])
def test_a_message_for_an_account_that_was_disconnected_fails_and_says_so(
    world: World, end: Callable[[World], None]
) -> None:
    end(world)
    world.record(world.message(transactions(2)))
    world.run()
    [operation] = world.operations()
    assert (operation.status, operation.errors[0].validator) == (PushStatus.FAILED, "Connected")
    assert world.feed().recorded_through == 0


def test_what_is_recorded_at_the_moment_of_a_disconnection_is_held_and_goes_when_mapped_again(world: World) -> None:
    message = world.message(transactions(2))
    just_before(world, "commit", lambda: world.record(message), touching="sourceAccount.disconnected")
    unmap(world)
    world.run()
    [operation] = world.operations()
    assert operation.status is PushStatus.FAILED
    assert [hold.reason for hold in hold_items.holds(world.store)] == [refused.REASON_DISCONNECTED]
    assert len(world.events("bankFeeds.held")) == 1

    map_again(world)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert hold_items.holds(world.store) == []
    assert {operation.door: operation.status for operation in world.operations()}["release"] is PushStatus.SUCCESS


def test_the_hold_of_a_disconnected_account_cannot_be_lifted_by_hand(world: World) -> None:
    world.record(world.message(transactions(2)))
    unmap(world)
    [hold] = hold_items.holds(world.store)
    with pytest.raises(Conflict):
        lift(world, hold)
    world.run()
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}
    assert [hold.reason for hold in hold_items.holds(world.store)] == [refused.REASON_DISCONNECTED]


def test_a_hold_of_the_tenant_that_is_lifted_does_not_leave_a_deleted_accounts_lines_pending(world: World) -> None:
    hold = hold_tenant(world)
    world.record(world.message(transactions(2)))
    remove(world)
    lift(world, hold)
    world.run()
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}
    assert hold_items.holds(world.store) == []
