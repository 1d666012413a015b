"""A feed connection that Xero is still setting up: nothing is sent before it is active, everything after."""

from __future__ import annotations

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.reconnection import CONNECTION_REMOVED
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import ReconnectionNeeded, Unavailable
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.upstream import FeedConnection, TenantAccess
from feedlane.follow_ups import FeedConnectionCheck
from feedlane.holds import items as hold_items
from feedlane.mapping import mapping, refused, unmapping
from feedlane.scope import Scope
from feedlane.statements.gate import Gate
from feedlane.statements.limits import TENANT_LIMITS, Lane
from feedlane.store.table import Write
from tests.account_actions import map_again, unmap
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.interruptions import Crashed, just_before
from tests.worlds.feeds import World, transactions

INACTIVE = FeedConnection(id="fc-new", account_token="token", account_id="target", active=False)
ACTIVE = INACTIVE.but(active=True)


@pytest.fixture
def world() -> World:
    """An account that was unmapped with two lines waiting, and mapped again: Xero is setting up its feed connection."""
    world = World()
    world.record(world.message(transactions(2)))
    unmap(world)
    world.upstream.create_feed_connection = create_inactive  # type: ignore[method-assign]
    map_again(world)
    return world


def create_inactive(access: TenantAccess, new: object) -> FeedConnection:
    return INACTIVE


def check(world: World, count: int) -> None:
    for _ in range(count):
        world.checks.dispatch(
            next(message for message, _ in world.queues.follow_ups if isinstance(message, FeedConnectionCheck))
        )


def test_nothing_is_sent_while_xero_sets_the_feed_connection_up(world: World) -> None:
    world.queues.woken.append(world.feed().id)
    world.step()
    assert world.upstream.posts == []
    assert [hold.reason for hold in hold_items.holds(world.store)] == [refused.REASON_DISCONNECTED]


def test_what_waited_is_sent_once_the_feed_connection_is_active(world: World) -> None:
    world.upstream.connections.append(ACTIVE)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert hold_items.holds(world.store) == []
    assert {operation.door: operation.status for operation in world.operations()}["release"] is PushStatus.SUCCESS


def test_a_crash_between_connected_and_released_is_made_good_by_the_message_again(world: World) -> None:
    mapping.record_feed_connection_active(world.ports, world.feed().id, ACTIVE, world.now)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_an_outage_does_not_end_the_looks_for_a_feed_connection(world: World) -> None:
    def unavailable(*arguments: object) -> None:
        raise Unavailable("Xero asked to come back later", 80_000)

    world.upstream.feed_connection = unavailable  # type: ignore[method-assign,assignment]
    before = len(world.queues.follow_ups)
    check(world, 12)
    assert len(world.queues.follow_ups) == before + 12


def test_a_look_that_may_not_go_yet_comes_again_at_its_slot(world: World) -> None:
    feed = world.feed()
    for number in range(TENANT_LIMITS.per_minute):
        gate, call_id = Gate(world.ports), f"call-{number}"
        assert gate.enter(feed, Lane.POSTS, call_id) is None
        gate.leave(feed.tenant_id, call_id)
    world.queues.follow_ups.clear()
    for _ in range(2):
        world.checks.dispatch(FeedConnectionCheck(feed_id=feed.id, turn=3))
    assert world.queues.follow_ups == [(FeedConnectionCheck(feed_id=feed.id, turn=3), 61)] * 2


def test_a_statement_that_is_being_sent_while_its_account_is_unmapped_keeps_its_own_end() -> None:
    world = World()
    operation = world.push(transactions(2))
    world.step()
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    just_before(world, "commit", lambda: world.sender.send(world.feed().id), touching="HOLD#feed")
    unmapping.unmap(world.ports, world.upstream, world.now, connection, account)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert world.operation(operation.key).status is PushStatus.SUCCESS


def test_a_look_whose_account_is_connected_long_since_lifts_no_later_hold(world: World) -> None:
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    assert account.status is SourceAccountStatus.CONNECTING
    world.upstream.connections.append(ACTIVE)
    world.run()
    world.now = world.now.replace(hour=world.now.hour + 1)
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    world.record(world.message(transactions(1, start=3, opening=20.0)))
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    unmapping.unmap(world.ports, world.upstream, world.now, connection, account)
    world.checks.dispatch(FeedConnectionCheck(feed_id=world.feed().id))
    assert len(hold_items.holds(world.store)) == 1


def test_a_feed_connection_that_never_comes_about_disconnects_its_account_which_can_be_mapped_again(
    world: World,
) -> None:
    """Xero was deleting the adopted one: it deletes later, and lists it until then."""
    world.run()
    account = company_items.source_account(world.store, CONNECTION, ACCOUNT)
    assert account.status is SourceAccountStatus.DISCONNECTED
    assert len(world.events("bankFeeds.sourceAccount.disconnected")) == 2
    assert [hold.reason for hold in hold_items.holds(world.store)] == [refused.REASON_DISCONNECTED]

    del world.upstream.create_feed_connection  # type: ignore[attr-defined]
    connection = company_items.connection(world.store, COMPANY, CONNECTION)
    mapping.map_account(world.ports, world.upstream, world.now, connection, account, "target")
    world.run()
    assert world.sent_ids() == ["t1", "t2"]
    assert hold_items.holds(world.store) == []


def test_a_feed_connection_that_shows_itself_late_is_waited_for(world: World) -> None:
    for _ in range(3):
        message, _ = world.queues.follow_ups.pop(0)
        world.checks.dispatch(message)
    world.upstream.connections.append(ACTIVE)
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_a_crash_right_after_a_mapping_is_recorded_leaves_nobody_connecting_for_ever() -> None:
    world = World()
    world.record(world.message(transactions(2)))
    unmap(world)
    world.upstream.create_feed_connection = create_inactive  # type: ignore[method-assign]
    real = world.store.table.commit

    def commit_and_crash(*writes: Write) -> None:
        real(*writes)
        world.store.table.commit = real  # type: ignore[method-assign]
        raise Crashed

    world.store.table.commit = commit_and_crash  # type: ignore[method-assign]
    with pytest.raises(Crashed):
        map_again(world)
    world.upstream.connections.append(ACTIVE)
    world.queues.woken.clear()
    world.run()
    assert world.sent_ids() == ["t1", "t2"]


def test_a_connection_that_xero_ended_meanwhile_asks_for_its_customer(world: World) -> None:
    def removed(*_: object) -> None:
        raise ReconnectionNeeded(CONNECTION_REMOVED)

    world.upstream.feed_connection = removed  # type: ignore[assignment, method-assign]
    check(world, 2)
    assert [hold.reason for hold in hold_items.holds(world.store) if hold.scope is Scope.CONNECTION] == [
        "reconnection-needed"
    ]
    assert company_items.connection(world.store, COMPANY, CONNECTION).needs_reconnection
    assert len(world.events("bankFeeds.held")) == 2  # of the unmapped account, and of the connection
