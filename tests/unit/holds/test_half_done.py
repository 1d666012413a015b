"""Releases of many feeds, unmapping, removing and mapping, each crashing at every step: nothing stays half done."""

from __future__ import annotations

from collections import Counter

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Conflict
from feedlane.feeds.push_operation import Door, PushStatus
from feedlane.holds import items as hold_items
from feedlane.holds import long_release
from feedlane.holds import release as hold_release
from feedlane.mapping import refused
from tests.account_actions import map_again, remove, unmap
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.hold_actions import hold_app, lift, lift_all
from tests.interruptions import Crashed, crash_at, crashes_everywhere, just_before
from tests.worlds.feeds import World, transactions

MANY = tuple(f"account-{number}" for number in range(5))
FAILED, RELEASED = "bankTransactions.write.unsuccessful", "bankFeeds.released"


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two feeds in a commit instead of thirty."""
    for module in (hold_release, long_release):
        monkeypatch.setattr(module, "FEEDS_PER_COMMIT_MAX", 2)


def held_world(accounts: tuple[str, ...] = MANY) -> World:
    """Each feed has two lines waiting behind a hold of the app; their operations have failed."""
    world = World(accounts)
    hold_app(world)
    list_connections(world)
    for account in accounts:
        world.record(world.message(transactions(2), account))
    world.run()
    return world


def list_connections(world: World) -> None:
    """Writes the connection into the list of connections, by which all feeds are found."""
    world.store.commit(company_items.put_connection(company_items.connection(world.store, COMPANY, CONNECTION)))


def waiting_world() -> World:
    """An account that is about to be unmapped or removed, with a recorded push."""
    world = World()
    world.push(transactions(2))
    world.step()
    world.queues.woken.clear()
    return world


def released_operations(world: World) -> Counter[tuple[str, str]]:
    operations = [operation for operation in world.operations() if operation.door is Door.RELEASE]
    return Counter((operation.account_id, str(operation.status)) for operation in operations)


@pytest.mark.usefixtures("in_parts")
def test_a_release_of_many_feeds_that_crashes_anywhere_ends_whole_by_itself_or_has_not_begun() -> None:
    world_count = 0
    for world in crashes_everywhere(held_world, lift_all):
        world_count += 1
        world.run(steps_max=2000)
        if hold_items.holds(world.store):
            assert (world.sent_ids(), world.events(RELEASED)) == ([], [])
            lift_all(world)
            world.run(steps_max=2000)
        assert hold_items.holds(world.store) == []
        assert len(world.events(RELEASED)) == 1
        assert released_operations(world) == {(account, "Success"): 1 for account in MANY}
        assert all(world.feed(account).delivered_through == 2 for account in MANY)
    assert world_count > 20


@pytest.mark.usefixtures("in_parts")
def test_a_second_release_goes_on_where_the_first_one_crashed() -> None:
    for world in crashes_everywhere(held_world, lift_all):
        world.queues.follow_ups.clear()
        lift_all(world)
        assert hold_items.holds(world.store) == []
        assert len(world.events(RELEASED)) == 1
        assert {account for account, _ in released_operations(world)} == set(MANY)


@pytest.mark.usefixtures("in_parts")
def test_nothing_is_sent_and_nothing_fails_while_a_release_is_half_done() -> None:
    world = held_world()
    restore = crash_at(world, 6)
    with pytest.raises(Crashed):
        lift_all(world)
    restore()
    [hold] = hold_items.holds(world.store)
    assert hold.releasing
    failed_before = len(world.events(FAILED))
    world.sender.send(world.feed(MANY[0]).id)
    world.record(world.message(transactions(1, start=3, opening=20.0), MANY[0]))
    assert (world.sent_ids(), len(world.events(FAILED))) == ([], failed_before)
    world.run(steps_max=2000)
    assert world.feed(MANY[0]).delivered_through == 3
    assert all(operation.status is not PushStatus.PENDING for operation in world.operations())


@pytest.mark.usefixtures("in_parts")
def test_a_feed_that_grows_while_many_are_released_is_told_of_all_its_lines() -> None:
    world = held_world()
    late = world.message(transactions(1, start=3, opening=20.0), MANY[4])
    just_before(world, "commit", lambda: world.record(late), touching="OPEN#000000000002")
    lift_all(world)
    world.run(steps_max=2000)
    of_feed = [operation for operation in world.operations() if operation.account_id == MANY[4]]
    through = [operation.through for operation in of_feed if operation.status is PushStatus.SUCCESS]
    assert max(through) == world.feed(MANY[4]).delivered_through == 3


def test_a_hold_of_more_feeds_than_a_commit_takes_is_released() -> None:
    accounts = tuple(f"account-{number}" for number in range(2 * long_release.FEEDS_PER_COMMIT_MAX + 1))
    world = held_world(accounts)
    [hold] = hold_items.holds(world.store)
    operations = lift(world, hold)
    world.run(steps_max=2000)
    assert {operation.account_id for operation in operations} == set(accounts)
    assert all(world.feed(account).delivered_through == 2 for account in accounts)


def test_what_unmapping_stops_is_told_wherever_it_crashes() -> None:
    for world in crashes_everywhere(waiting_world, unmap):
        world.run()
        [operation] = world.operations()
        if company_items.source_account(world.store, CONNECTION, ACCOUNT).status is SourceAccountStatus.CONNECTED:
            assert operation.status in (PushStatus.PENDING, PushStatus.SUCCESS)
            continue
        assert [hold.reason for hold in hold_items.holds(world.store)] == [refused.REASON_DISCONNECTED]
        assert operation.status is PushStatus.FAILED
        assert len(world.events(FAILED)) == 1


def test_what_removing_an_account_stops_is_told_wherever_it_crashes() -> None:
    for world in crashes_everywhere(waiting_world, remove):
        world.run()
        [operation] = world.operations()
        removed = company_items.find_source_account(world.store, CONNECTION, ACCOUNT) is None
        assert (operation.status is PushStatus.FAILED) == removed
        assert len(world.events(FAILED)) == removed


def test_an_account_that_is_mapped_again_goes_on_wherever_mapping_crashes() -> None:
    def unmapped() -> World:
        world = waiting_world()
        unmap(world)
        return world

    for world in crashes_everywhere(unmapped, map_again):
        world.run()
        if company_items.source_account(world.store, CONNECTION, ACCOUNT).mapping is None:
            map_again(world)
            world.run()
        assert world.sent_ids() == ["t1", "t2"]
        assert released_operations(world) == {(ACCOUNT, "Success"): 1}


def test_lines_that_come_while_an_account_is_unmapped_are_held_too() -> None:
    world = World()
    message = world.message(transactions(2))
    just_before(world, "commit", lambda: world.record(message), touching="sourceAccount.disconnected")
    unmap(world)
    world.run()
    assert [hold.reason for hold in hold_items.holds(world.store)] == [refused.REASON_DISCONNECTED]
    assert [operation.status for operation in world.operations()] == [PushStatus.FAILED]


def test_a_push_from_the_queue_for_an_unmapped_account_fails_with_its_reason() -> None:
    world = World()
    unmap(world)
    world.record(world.message(transactions(2)))
    [operation] = world.operations()
    assert (operation.status, operation.errors[0].validator) == (PushStatus.FAILED, "Connected")
    assert world.feed().waiting == 0


def test_the_hold_of_an_unmapped_account_is_not_released_before_it_is_mapped_again() -> None:
    world = waiting_world()
    unmap(world)
    with pytest.raises(Conflict):
        lift_all(world)
    map_again(world)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_what_a_removed_account_left_is_told_when_it_is_made_anew() -> None:
    world = waiting_world()
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    remove(world)
    new_account = account.but(status=SourceAccountStatus.PENDING, mapping=None, version=1)
    world.store.commit(company_items.add_source_account(new_account))
    map_again(world)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert released_operations(world) == {(ACCOUNT, "Success"): 1}
