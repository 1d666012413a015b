"""A refusal holds, and a release sends what waited: in order, once, and without what was set aside."""

from __future__ import annotations

import pytest

from feedlane.errors import Invalid, Refused
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.set_aside_items import read_set_aside
from feedlane.feeds.upstream import NoAnswer
from feedlane.holds import items as hold_items
from feedlane.holds.release import release_feed
from feedlane.scope import Scope
from feedlane.store import keys
from tests.fakes.upstream import NO_FEEDS, REJECTED
from tests.hold_actions import hold_tenant, lift
from tests.worlds.feeds import World, transactions


@pytest.fixture
def world() -> World:
    return World()


def test_a_403_holds_the_tenant_fails_the_push_and_refuses_the_next(world: World) -> None:
    world.upstream.answers.append(NO_FEEDS)
    operation = world.push(transactions(2))
    world.run()
    failed = world.operation(operation.key)
    assert (failed.status, failed.status_code) == (PushStatus.FAILED, 403)
    assert NO_FEEDS.problem.detail in (failed.error_message or "")
    [event] = world.events("bankFeeds.held")
    assert event.payload["problem"]["type"] == "invalid-organisation-bank-feeds"
    assert event.payload["waiting"] == 2
    with pytest.raises(Refused) as caught:
        world.push(transactions(1, start=3, opening=20.0))
    assert caught.value.problem == NO_FEEDS.problem


def test_a_release_sends_what_was_held_in_order_and_once(world: World) -> None:
    world.upstream.answers.append(NO_FEEDS)
    world.push(transactions(2))
    world.run()
    world.record(world.message(transactions(2, start=3, opening=20.0)))
    world.run()
    assert world.sent_ids() == []
    [hold] = hold_items.holds(world.store)
    [operation] = lift(world, hold)
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3", "t4"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert [event.payload["waiting"] for event in world.events("bankFeeds.released")] == [4]
    assert len(world.events("bankFeeds.held")) == 1


def test_a_statement_in_doubt_is_not_cut_again_by_a_hold_and_its_release(world: World) -> None:
    world.upstream.lost.append(NoAnswer(reason="timed out"))
    world.push(transactions(2))
    world.step()
    world.step()
    world.upstream.answers.append(NO_FEEDS)
    world.run()
    world.record(world.message(transactions(2, start=3, opening=20.0)))
    [hold] = hold_items.holds(world.store)
    lift(world, hold)
    world.run()
    assert len({request for _, request in world.upstream.posts[:3]}) == 1
    assert world.sent_ids() == ["t1", "t2", "t3", "t4"]


def test_a_release_can_set_a_line_aside_and_the_rest_goes_on(world: World) -> None:
    world.upstream.answers.append(REJECTED)
    world.push(transactions(5))
    world.run()
    [hold] = hold_items.holds(world.store)
    [operation] = lift(world, hold, ["t3"])
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t4", "t5"]
    assert operation.transactions == 4
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert [line.transaction_id for line in read_set_aside(world.store, world.feed().id)] == ["t3"]
    assert (world.feed().set_aside, world.feed().set_aside_ahead) == (1, 0)
    [event] = world.events("bankFeeds.released")
    assert (event.payload["setAside"], event.payload["waiting"]) == (["t3"], 4)


def test_a_line_can_be_set_aside_even_if_a_crash_left_the_index_behind_the_ledger(world: World) -> None:
    world.upstream.answers.append(REJECTED)
    world.push(transactions(2))
    world.run()
    del world.table.items[keys.id_index(world.feed().id)]
    [hold] = hold_items.holds(world.store)
    lift(world, hold, ["t1"])
    world.run()
    assert world.sent_ids() == ["t2"]


def test_setting_the_last_lines_aside_ends_what_waited_for_them(world: World) -> None:
    world.upstream.answers.append(REJECTED)
    world.push(transactions(2))
    world.run()
    [hold] = hold_items.holds(world.store)
    [operation] = lift(world, hold, ["t1", "t2"])
    world.run()
    assert world.sent_ids() == []
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    world.push(transactions(1, start=3, opening=20.0))
    world.run()
    assert world.sent_ids() == ["t3"]


def test_setting_the_last_line_aside_ends_what_waited_for_it_however_long_the_rest_takes(world: World) -> None:
    """Even longer than the delay of the wake-up that a release sends in case of a crash."""
    world.upstream.answers.append(REJECTED)
    world.push(transactions(5))
    world.run()
    [hold] = hold_items.holds(world.store)
    [operation] = lift(world, hold, ["t4", "t5"])
    world.queues.follow_ups.clear()
    world.run()
    assert world.sent_ids() == ["t1", "t2", "t3"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_only_what_waits_in_the_held_feed_can_be_set_aside(world: World) -> None:
    world.upstream.answers.append(REJECTED)
    world.push(transactions(2))
    world.run()
    [hold] = hold_items.holds(world.store)
    with pytest.raises(Invalid) as caught:
        lift(world, hold, ["t9"])
    assert caught.value.findings[0].item_id == "setAside.t9"
    assert hold_items.holds(world.store) == [hold]


def test_a_feed_is_released_from_every_hold_and_its_own_sets_aside(world: World) -> None:
    world.upstream.answers.append(REJECTED)
    world.push(transactions(3))
    world.run()
    hold_tenant(world)
    with pytest.raises(Invalid):
        release_feed(world.ports, world.now, world.feed(), ["t9"])
    assert {hold.scope for hold in hold_items.holds(world.store)} == {Scope.FEED, Scope.TENANT}
    release_feed(world.ports, world.now, world.feed(), ["t2"])
    world.run()
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1", "t3"]


def test_nothing_is_set_aside_without_a_word_where_the_feed_has_no_hold_of_its_own(world: World) -> None:
    world.upstream.answers.append(NO_FEEDS)
    world.push(transactions(2))
    world.run()
    with pytest.raises(Invalid) as caught:
        release_feed(world.ports, world.now, world.feed(), ["t1"])
    assert caught.value.findings[0].item_id == "setAside"
    assert [hold.scope for hold in hold_items.holds(world.store)] == [Scope.TENANT]
