"""Edge cases of mapping: crashes, races, refusals, and holds that a new mapping lifts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feedlane.companies import items as company_items
from feedlane.companies import source_accounts
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import Invalid, ReconnectionNeeded, Refused
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.feeds.upstream import FeedConnection
from feedlane.follow_ups import FeedConnectionCheck
from feedlane.holds import items as hold_items
from feedlane.ids import account_token, feed_id
from feedlane.mapping import mapping, unmapping
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.table import ConditionFailed, Put, Write
from feedlane.wiring.checks import Checks
from tests.rights import acting
from tests.worlds.api import World

ELSEWHERE = Problem(type="feed-already-connected-in-current-organisation", title="Failed", status=409, detail="Taken.")


@pytest.fixture
def connection(world: World, ids: dict[str, str]) -> Connection:
    return company_items.connection(world.store, **ids)


@pytest.fixture
def account(world: World, connection: Connection) -> SourceAccount:
    return source_accounts.create(
        world.store, world.now, connection, id="src", account_name="Current", account_type="checking",
        account_number="20011234", currency="GBP", balance=Decimal(0), sort_code=None, given={},
    )  # fmt: skip


def map_account(
    world: World, connection: Connection, account: SourceAccount, target: str | None = "xero-1"
) -> SourceAccount:
    return mapping.map_account(world.ports, world.upstream, world.clock(), connection, account, target, None)


def unmap_account(world: World, connection: Connection, account: SourceAccount) -> SourceAccount:
    return unmapping.unmap(world.ports, world.upstream, world.now, connection, account)


def test_a_crash_after_xeros_answer_is_made_good_by_mapping_again(
    world: World, connection: Connection, account: SourceAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*writes: Write) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(world.store, "commit", crash)
        with pytest.raises(SystemExit):
            map_account(world, connection, account)
    assert map_account(world, connection, account).status is SourceAccountStatus.CONNECTED
    assert len(world.upstream.feeds) == 1


def test_what_a_crash_left_behind_for_another_account_is_removed_first(
    world: World, connection: Connection, account: SourceAccount
) -> None:
    token = account_token(connection.id, account.id)
    world.upstream.feeds["old"] = FeedConnection(id="old", account_token=token, account_id="xero-7", active=True)
    assert map_account(world, connection, account).status is SourceAccountStatus.CONNECTING
    assert world.upstream.feeds == {}
    acting("check_statements", Checks(world.ports, world.upstream)).dispatch(
        FeedConnectionCheck(feed_id=feed_id(connection.id, account.id))
    )
    connected = company_items.source_account(world.store, connection.id, "src")
    assert (connected.status, connected.mapping.target_account_id) == (SourceAccountStatus.CONNECTED, "xero-1")


def test_a_feed_that_grows_meanwhile_is_read_again(
    world: World, connection: Connection, account: SourceAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    disconnected = unmap_account(world, connection, map_account(world, connection, account))
    commit, has_grown = world.store.commit, False

    def grow_and_commit(*writes: Write) -> None:
        nonlocal has_grown
        if not has_grown:
            has_grown = True
            feed = feed_items.find_feed(world.store, feed_id(connection.id, "src"))
            assert feed
            commit(feed_items.put_feed(feed.but(recorded_through=5)))
        commit(*writes)

    monkeypatch.setattr(world.store, "commit", grow_and_commit)
    map_account(world, connection, disconnected)
    feed = feed_items.find_feed(world.store, feed_id(connection.id, "src"))
    assert feed
    assert (feed.recorded_through, feed.feed_connection_id) == (5, "feed-2")


def test_two_that_claim_the_same_xero_account_at_once_do_not_both_get_it(
    world: World, connection: Connection, account: SourceAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = world.store.commit

    def claim_and_commit(*writes: Write) -> None:
        pk, sk = keys.target("tenant-1", "xero-1")
        commit(Put({"pk": pk, "sk": sk, "connection_id": "other", "account_id": "x", "company_id": "other"}))
        monkeypatch.setattr(world.store, "commit", commit)
        commit(*writes)

    monkeypatch.setattr(world.store, "commit", claim_and_commit)
    with pytest.raises(Invalid, match="is already fed by another source account"):
        map_account(world, connection, account)
    assert company_items.source_account(world.store, connection.id, "src").mapping is None


def test_two_that_map_the_same_account_at_once_do_not_both_write(
    world: World, connection: Connection, account: SourceAccount
) -> None:
    map_account(world, connection, account)
    with pytest.raises(ConditionFailed):
        map_account(world, connection, account)


def test_a_connecting_account_is_looked_at_again_when_mapped_again(
    world: World, connection: Connection, account: SourceAccount
) -> None:
    world.upstream.active = False
    connecting = map_account(world, connection, account, None)
    before = len(world.queues.follow_ups)
    assert map_account(world, connection, connecting, None) == connecting
    assert len(world.queues.follow_ups) == before + 1


def test_another_target_needs_a_disconnection_first(
    world: World, connection: Connection, account: SourceAccount
) -> None:
    mapped = map_account(world, connection, account)
    with pytest.raises(Invalid, match="disconnected first"):
        map_account(world, connection, mapped, "xero-2")


def test_without_the_scope_the_customer_has_to_reconnect(
    world: World, connection: Connection, account: SourceAccount
) -> None:
    with pytest.raises(ReconnectionNeeded):
        map_account(world, connection.but(scopes=("openid",)), account)


def test_xeros_refusal_changes_nothing(world: World, connection: Connection, account: SourceAccount) -> None:
    world.upstream.problem = Refused(ELSEWHERE)
    with pytest.raises(Refused):
        map_account(world, connection, account)
    assert company_items.source_account(world.store, connection.id, "src") == account
    assert feed_items.find_feed(world.store, feed_id(connection.id, "src")) is None


def test_a_new_mapping_lifts_the_hold_of_a_feed_connection_that_was_gone(
    world: World, connection: Connection, account: SourceAccount
) -> None:
    disconnected = unmap_account(world, connection, map_account(world, connection, account))
    for reason, holds_left in (("feed-connection-gone", 0), ("statement-rejected", 1)):
        subject = feed_id(connection.id, "src")
        world.add_hold(Scope.FEED, subject, reason=reason, problem=ELSEWHERE, company_id=connection.company_id)
        mapped = map_account(world, connection, disconnected)
        assert len(hold_items.holds(world.store)) == holds_left
        disconnected = unmap_account(world, connection, mapped)


def test_a_late_answer_about_an_earlier_feed_connection_changes_nothing(
    world: World, connection: Connection, account: SourceAccount
) -> None:
    world.upstream.active = False
    map_account(world, connection, account, None)
    earlier = FeedConnection(id="earlier", account_token="other", active=True)
    for id in (feed_id(connection.id, "src"), "no/feed"):
        assert mapping.record_feed_connection_active(world.ports, id, earlier, world.now) is None


def test_what_waits_when_an_account_is_disconnected_is_held_and_goes_on_when_it_is_mapped_again(
    world: World, connection: Connection, account: SourceAccount
) -> None:
    mapped = map_account(world, connection, account)
    add_waiting_lines(world, connection)
    disconnected = unmap_account(world, connection, mapped)
    [hold] = hold_items.holds(world.store)
    assert (hold.scope, hold.reason) == (Scope.FEED, "source-account-disconnected")
    operation = push_operation_items.operation(world.store, connection.company_id, "push-1")
    assert (operation.status, operation.problem) == ("Failed", hold.problem)
    assert {"bankFeeds.held", "bankTransactions.write.unsuccessful"} <= set(world.event_types)
    map_account(world, connection, disconnected)
    assert hold_items.holds(world.store) == []
    newest = next(iter(push_operation_items.operations_of_company(world.store, connection.company_id)))
    assert (newest.door, newest.status, newest.through) == ("release", "Pending", 2)
    assert feed_id(connection.id, "src") in world.queues.woken


def test_what_waits_when_an_account_is_deleted_fails_and_leaves_no_hold(
    world: World, connection: Connection, account: SourceAccount
) -> None:
    mapped = map_account(world, connection, account)
    add_waiting_lines(world, connection)
    unmapping.remove_account(world.ports, world.upstream, world.now, connection, mapped)
    assert hold_items.holds(world.store) == []
    operation = push_operation_items.operation(world.store, connection.company_id, "push-1")
    assert operation.status == "Failed"
    assert company_items.find_source_account(world.store, connection.id, "src") is None


def add_waiting_lines(world: World, connection: Connection) -> None:
    """Adds two waiting lines to the ledger, and the push operation that recorded them."""
    feed = feed_items.find_feed(world.store, feed_id(connection.id, "src"))
    assert feed
    operation = PushOperation(
        key="push-1", company_id=connection.company_id, connection_id=connection.id, account_id="src", door=Door.API,
        requested_on=world.now, through=2, transactions=2,
    )  # fmt: skip
    world.store.commit(
        feed_items.put_feed(feed.but(recorded_through=2)),
        push_operation_items.put_operation(operation),
        push_operation_items.add_open_operation(feed.id, operation),
    )
