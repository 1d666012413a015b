"""A mapping that Xero refuses with a 403 is told of like a refused push, and tried again once its hold is released."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.reconnection import CONNECTION_REMOVED
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import FeedConnection
from feedlane.follow_ups import FeedConnectionCheck
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.holds.release import resume_connection
from feedlane.link.standing_errors import standing_errors
from feedlane.mapping import mapping, refused
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from tests import builders
from tests.account_actions import map_again, remove, unmap
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.fakes.upstream import NO_FEEDS
from tests.hold_actions import lift
from tests.interruptions import crashes_everywhere
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions

CURRENCY = Problem(type="invalid-organisation-multi-currency", title="Invalid Currency", status=403, detail="No euros.")
TAKEN = Problem(type="feed-connected-in-different-organisation", title="Taken", status=409, detail="Taken.")


def new_account() -> World:
    """An account that was never mapped."""
    world = World(accounts=())
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    world.store.commit(company_items.add_source_account(builders.source_account(connection)))
    return world


def account(world: World) -> SourceAccount:
    return company_items.source_account(world.store, CONNECTION, ACCOUNT)


def refuse(world: World, problem: Problem = NO_FEEDS.problem) -> None:
    world.upstream.refusals = [Refused(problem)]
    with pytest.raises(Refused):
        map_again(world)


def the_hold(world: World) -> Hold:
    [hold] = hold_items.holds(world.store)
    return hold


def test_it_is_a_hold_an_event_and_an_error_of_the_connection_with_xeros_words() -> None:
    world = new_account()
    refuse(world)
    hold = the_hold(world)
    assert (hold.scope, hold.reason, hold.problem) == (Scope.TENANT, NO_FEEDS.reason, NO_FEEDS.problem)
    [event] = world.events("bankFeeds.held")
    assert event.payload["problem"] == NO_FEEDS.problem.model_dump()
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    [fault] = standing_errors(world.store, settings_items.settings(world.store), [connection])[CONNECTION]
    assert fault.reason == NO_FEEDS.reason
    assert (account(world).status, account(world).problem) == (SourceAccountStatus.PENDING, NO_FEEDS.problem)
    with pytest.raises(Refused) as refused:
        world.push(transactions(1))
    assert refused.value.problem == NO_FEEDS.problem


def test_what_comes_through_the_queue_waits_and_goes_once_the_hold_is_released() -> None:
    world = new_account()
    refuse(world)
    world.record(world.message(transactions(2)))
    world.run()
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}
    lift(world, the_hold(world))
    world.run()
    assert (account(world).status, account(world).problem) == (SourceAccountStatus.CONNECTED, None)
    assert world.sent_ids() == ["t1", "t2"]
    assert hold_items.holds(world.store) == []
    assert len(world.events("bankFeeds.sourceAccount.connected")) == 1


def test_what_comes_meanwhile_and_is_before_the_start_date_is_set_aside() -> None:
    world = new_account()
    world.upstream.refusals = [Refused(NO_FEEDS.problem)]
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    with pytest.raises(Refused), acting_as("public_api", "link"):
        mapping.map_account(world.ports, world.upstream, world.now, connection, account(world), "target", "2026-05-02")
    world.record(world.message([*transactions(2), *transactions(2, start=3, day="2026-05-02", opening=20.0)]))
    world.run()
    lift(world, the_hold(world))
    world.run()
    assert (world.sent_ids(), world.feed().set_aside) == (["t3", "t4"], 2)


def test_a_release_connects_an_account_for_which_nothing_waits() -> None:
    world = new_account()
    refuse(world)
    lift(world, the_hold(world))
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED
    assert account(world).mapping.target_account_id == "target"


def test_a_release_too_early_holds_again() -> None:
    world = new_account()
    refuse(world)
    first = the_hold(world)
    world.record(world.message(transactions(2)))
    world.run()
    world.upstream.refusals = [Refused(NO_FEEDS.problem)]
    lift(world, first)
    world.run()
    assert the_hold(world).id != first.id
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}
    assert len(world.events("bankFeeds.held")) == 2
    lift(world, the_hold(world))
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_mapping_it_again_lifts_the_hold_and_sends_what_waits_in_order() -> None:
    world = new_account()
    refuse(world)
    world.record(world.message(transactions(2)))
    world.run()
    world.advance(minutes=1)
    map_again(world)
    world.run()
    assert hold_items.holds(world.store) == []
    assert world.sent_ids() == ["t1", "t2"]


def test_lines_of_an_earlier_mapping_go_too() -> None:
    world = World()
    world.record(world.message(transactions(2)))
    unmap(world)
    refuse(world)
    assert len(hold_items.holds(world.store)) == 2
    [hold] = [hold for hold in hold_items.holds(world.store) if hold.scope is Scope.TENANT]
    world.advance(minutes=1)
    lift(world, hold)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert hold_items.holds(world.store) == []


def test_a_hold_that_a_push_has_placed_is_not_lifted_by_a_mapping() -> None:
    world = World()
    world.upstream.answers.append(NO_FEEDS)
    world.push(transactions(1))
    world.run()
    hold = the_hold(world)
    unmap(world)
    refuse(world)
    assert len(world.events("bankFeeds.held")) == 2  # the push's, and the disconnection's
    world.advance(minutes=1)
    map_again(world)
    world.run()
    assert the_hold(world).id == hold.id


def test_a_403_for_this_feed_alone_holds_the_feed_and_can_be_released() -> None:
    world = new_account()
    refuse(world, CURRENCY)
    hold = the_hold(world)
    assert (hold.scope, hold.reason) == (Scope.FEED, "currency-not-supported")
    world.record(world.message(transactions(2)))
    world.run()
    lift(world, hold)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_it_takes_the_place_of_a_hold_that_says_less() -> None:
    world = World()
    world.record(world.message(transactions(2)))
    unmap(world)
    refuse(world, CURRENCY)
    assert the_hold(world).reason == "currency-not-supported"
    assert [event.payload["reason"] for event in world.events("bankFeeds.held")][-1] == "currency-not-supported"
    world.advance(minutes=1)
    map_again(world)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_a_connection_without_access_asks_its_customer_and_goes_on_when_he_is_back() -> None:
    world = new_account()
    world.upstream.refusals = [ReconnectionNeeded(CONNECTION_REMOVED)]
    with pytest.raises(ReconnectionNeeded):
        map_again(world)
    assert the_hold(world).scope is Scope.CONNECTION
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    assert connection.needs_reconnection
    back = builders.linked(tenant=builders.tenant(time_zone="Europe/London"), version=connection.version)
    world.store.commit(company_items.put_connection(back))
    resume_connection(world.ports, world.now, back)
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED


def test_another_account_that_xero_does_not_take_holds_nothing() -> None:
    world = new_account()
    refuse(world, TAKEN)
    assert hold_items.holds(world.store) == []
    assert world.events() == []
    assert account(world).wanted is None


def test_one_that_comes_only_after_pending_is_the_same() -> None:
    world = new_account()
    pending = FeedConnection(id="fc-new", account_token="token", account_id="target", active=False)
    real = world.upstream.create_feed_connection
    world.upstream.create_feed_connection = lambda *_: pending
    map_again(world)
    world.upstream.create_feed_connection = real
    world.record(world.message(transactions(2)))
    world.upstream.connections.append(pending.but(rejection=NO_FEEDS.problem))
    world.run()
    hold = the_hold(world)
    assert (hold.scope, hold.reason) == (Scope.TENANT, NO_FEEDS.reason)
    assert (account(world).status, account(world).problem) == (SourceAccountStatus.DISCONNECTED, NO_FEEDS.problem)
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}
    assert len(world.events("bankFeeds.sourceAccount.disconnected")) == 1
    world.upstream.connections.clear()
    lift(world, hold)
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED
    assert world.sent_ids() == ["t1", "t2"]


def test_a_refusal_to_look_at_one_that_xero_sets_up_is_the_same() -> None:
    world = new_account()
    pending = FeedConnection(id="fc-new", account_token="token", account_id="target", active=False)
    real, look = world.upstream.create_feed_connection, world.upstream.feed_connection
    world.upstream.create_feed_connection = lambda *_: pending
    map_again(world)
    world.upstream.create_feed_connection = real

    def refused(*_: object) -> None:
        raise Refused(NO_FEEDS.problem)

    world.upstream.feed_connection = refused
    world.step()
    assert the_hold(world).reason == NO_FEEDS.reason
    world.upstream.feed_connection = look
    world.upstream.connections.append(pending.but(active=True))
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED
    assert hold_items.holds(world.store) == []


def test_an_outage_after_the_release_is_waited_out() -> None:
    world = new_account()
    refuse(world)
    world.upstream.refusals = [Unavailable("down")] * 3
    lift(world, the_hold(world))
    world.run()
    assert account(world).status is SourceAccountStatus.CONNECTED


def test_what_xero_refuses_after_the_release_for_this_account_alone_is_shown_and_held() -> None:
    world = new_account()
    refuse(world)
    world.record(world.message(transactions(2)))
    world.run()
    world.upstream.refusals = [Refused(TAKEN)]
    lift(world, the_hold(world))
    world.run()
    rejected = account(world)
    assert (rejected.status, rejected.problem) == (SourceAccountStatus.DISCONNECTED, TAKEN)
    assert rejected.wanted is None
    assert the_hold(world).reason == refused.REASON_REJECTED
    assert {operation.status for operation in world.operations()} == {PushStatus.FAILED}


@pytest.mark.parametrize("end", [unmap, remove])
def test_whoever_gives_it_up_is_not_connected_by_the_release(end: object) -> None:
    world = new_account()
    refuse(world)
    end(world)  # type: ignore[operator]
    lift(world, the_hold(world))
    world.run()
    assert world.upstream.created == []


def test_a_target_that_another_has_taken_meanwhile_is_said() -> None:
    world = new_account()
    refuse(world)
    other = builders.source_account(id="account-2")
    world.store.commit(company_items.add_source_account(other))
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    mapping.map_account(world.ports, world.upstream, world.now, connection, other, "target")
    lift(world, the_hold(world)) if hold_items.holds(world.store) else None
    world.run()
    assert account(world).status is SourceAccountStatus.DISCONNECTED
    assert "already fed by another source account" in account(world).problem.detail
    with pytest.raises(Invalid):
        map_again(world)


def test_a_crash_at_any_step_of_a_refused_mapping_leaves_nothing_half_told() -> None:
    def act(world: World) -> None:
        try:
            map_again(world)
        except Refused:
            return

    def refusing() -> World:
        world = new_account()
        world.upstream.refusals = [Refused(NO_FEEDS.problem)]
        return world

    worlds = 0
    for world in crashes_everywhere(refusing, act):
        world.run()
        told = bool(hold_items.holds(world.store))
        assert told == (account(world).problem is not None) == (account(world).wanted is not None)
        assert len(world.events("bankFeeds.held")) == told
        worlds += 1
    assert worlds > 1


def test_a_crash_at_any_step_of_the_attempt_after_a_release_is_made_good() -> None:
    def released() -> World:
        world = new_account()
        refuse(world)
        world.record(world.message(transactions(2)))
        world.run()
        lift(world, the_hold(world))
        return world

    def check(world: World) -> None:
        world.checks.dispatch(FeedConnectionCheck(feed_id=world.feed().id))

    worlds = 0
    for world in crashes_everywhere(released, check):
        world.run()
        assert account(world).status is SourceAccountStatus.CONNECTED
        assert world.sent_ids() == ["t1", "t2"]
        worlds += 1
    assert worlds > 3
