"""Mapping at its edges: crashes on the way, races, refusals, and what a new mapping mends."""

from __future__ import annotations

from decimal import Decimal

import pytest

from feedlane.companies import items as company_items
from feedlane.companies import source_accounts
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import Invalid, ReconnectionNeeded, Refused, Unavailable
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.feeds.upstream import FeedConnection
from feedlane.holds import items as hold_items
from feedlane.ids import feed_id
from feedlane.mapping import mapping, unmapping
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.table import ConditionFailed, Put, Write
from tests.worlds.api import World

ELSEWHERE = Problem(type="feed-already-connected-in-current-organisation", title="Failed", status=409, detail="Taken.")


@pytest.fixture
def connection(own: World, ids: dict[str, str]) -> Connection:
    return company_items.connection(own.store, **ids)


@pytest.fixture
def account(own: World, connection: Connection) -> SourceAccount:
    return source_accounts.create(
        own.store, own.now, connection, id="src", account_name="Current", account_type="checking",
        account_number="20011234", currency="GBP", balance=Decimal(0), sort_code=None, given={},
    )  # fmt: skip


def map_it(own: World, connection: Connection, account: SourceAccount, target: str | None = "xero-1") -> SourceAccount:
    return mapping.map_account(own.ports, own.upstream, own.clock(), connection, account, target, None)


def test_a_crash_after_xeros_answer_is_made_good_by_mapping_again(
    own: World, connection: Connection, account: SourceAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*writes: Write) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(own.store, "commit", crash)
        with pytest.raises(SystemExit):
            map_it(own, connection, account)
    assert map_it(own, connection, account).status is SourceAccountStatus.CONNECTED
    assert len(own.upstream.feeds) == 1


def test_what_a_crash_left_behind_for_another_account_is_removed_first(
    own: World, connection: Connection, account: SourceAccount
) -> None:
    token = mapping.account_token(connection.id, account.id)
    own.upstream.feeds["old"] = FeedConnection(id="old", account_token=token, account_id="xero-7", active=True)
    with pytest.raises(Unavailable) as later:
        map_it(own, connection, account)
    assert later.value.retry_after == 5
    assert map_it(own, connection, account).mapping.target_account_id == "xero-1"


def test_a_feed_that_grows_meanwhile_is_read_again(
    own: World, connection: Connection, account: SourceAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = unmapping.unmap(own.ports, own.upstream, own.now, connection, map_it(own, connection, account))
    commit, grown = own.store.commit, []

    def growing(*writes: Write) -> None:
        if not grown:
            feed = feed_items.find_feed(own.store, feed_id(connection.id, "src"))
            assert feed
            grown.append(feed)
            commit(feed_items.put_feed(feed.but(recorded_through=5)))
        commit(*writes)

    monkeypatch.setattr(own.store, "commit", growing)
    map_it(own, connection, ended)
    feed = feed_items.find_feed(own.store, feed_id(connection.id, "src"))
    assert feed
    assert (feed.recorded_through, feed.feed_connection_id) == (5, "feed-2")


def test_two_that_claim_the_same_xero_account_at_once_do_not_both_get_it(
    own: World, connection: Connection, account: SourceAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = own.store.commit

    def beaten(*writes: Write) -> None:
        pk, sk = keys.target("tenant-1", "xero-1")
        commit(Put({"pk": pk, "sk": sk, "connection_id": "other", "account_id": "x", "company_id": "other"}))
        monkeypatch.setattr(own.store, "commit", commit)
        commit(*writes)

    monkeypatch.setattr(own.store, "commit", beaten)
    with pytest.raises(Invalid, match="is already fed by another source account"):
        map_it(own, connection, account)
    assert company_items.source_account(own.store, connection.id, "src").mapping is None


def test_two_that_map_the_same_account_at_once_do_not_both_write(
    own: World, connection: Connection, account: SourceAccount
) -> None:
    map_it(own, connection, account)
    with pytest.raises(ConditionFailed):
        map_it(own, connection, account)


def test_a_connecting_account_is_looked_at_again_when_mapped_again(
    own: World, connection: Connection, account: SourceAccount
) -> None:
    own.upstream.active = False
    connecting = map_it(own, connection, account, None)
    before = len(own.queues.follow_ups)
    assert map_it(own, connection, connecting, None) == connecting
    assert len(own.queues.follow_ups) == before + 1


def test_another_target_needs_a_disconnection_first(own: World, connection: Connection, account: SourceAccount) -> None:
    mapped = map_it(own, connection, account)
    with pytest.raises(Invalid, match="disconnected first"):
        map_it(own, connection, mapped, "xero-2")


def test_without_the_scope_the_customer_has_to_reconnect(
    own: World, connection: Connection, account: SourceAccount
) -> None:
    with pytest.raises(ReconnectionNeeded):
        map_it(own, connection.but(scopes=("openid",)), account)


def test_xeros_refusal_changes_nothing(own: World, connection: Connection, account: SourceAccount) -> None:
    own.upstream.problem = Refused(ELSEWHERE)
    with pytest.raises(Refused):
        map_it(own, connection, account)
    assert company_items.source_account(own.store, connection.id, "src") == account
    assert feed_items.find_feed(own.store, feed_id(connection.id, "src")) is None


def test_a_new_mapping_lifts_the_hold_of_a_feed_connection_that_was_gone(
    own: World, connection: Connection, account: SourceAccount
) -> None:
    ended = unmapping.unmap(own.ports, own.upstream, own.now, connection, map_it(own, connection, account))
    for reason, left in (("feed-connection-gone", 0), ("statement-rejected", 1)):
        of_feed = {"subject": feed_id(connection.id, "src"), "company_id": connection.company_id}
        own.add_hold(Scope.FEED, reason=reason, problem=ELSEWHERE, **of_feed)
        mapped = map_it(own, connection, ended)
        assert len(hold_items.holds(own.store)) == left
        ended = unmapping.unmap(own.ports, own.upstream, own.now, connection, mapped)


def test_a_late_answer_about_an_earlier_feed_connection_changes_nothing(
    own: World, connection: Connection, account: SourceAccount
) -> None:
    own.upstream.active = False
    map_it(own, connection, account, None)
    late = FeedConnection(id="earlier", account_token="other", active=True)
    found = mapping.record_feed_connection_active(own.ports, feed_id(connection.id, "src"), late, own.now)
    assert found is None
    assert mapping.record_feed_connection_active(own.ports, "no/feed", late, own.now) is None


def test_what_waits_when_an_account_is_disconnected_is_held_and_goes_on_when_it_is_mapped_again(
    own: World, connection: Connection, account: SourceAccount
) -> None:
    mapped = map_it(own, connection, account)
    waiting(own, connection)
    ended = unmapping.unmap(own.ports, own.upstream, own.now, connection, mapped)
    [hold] = hold_items.holds(own.store)
    assert (hold.scope, hold.reason) == (Scope.FEED, "source-account-disconnected")
    operation = push_operation_items.operation(own.store, connection.company_id, "push-1")
    assert (operation.status, operation.problem) == ("Failed", hold.problem)
    assert {"bankFeeds.held", "bankTransactions.write.unsuccessful"} <= set(own.event_types)
    map_it(own, connection, ended)
    assert hold_items.holds(own.store) == []
    newest = next(iter(push_operation_items.operations_of_company(own.store, connection.company_id)))
    assert (newest.door, newest.status, newest.through) == ("release", "Pending", 2)
    assert feed_id(connection.id, "src") in own.queues.woken


def test_what_waits_when_an_account_is_deleted_fails_and_leaves_no_hold(
    own: World, connection: Connection, account: SourceAccount
) -> None:
    mapped = map_it(own, connection, account)
    waiting(own, connection)
    unmapping.remove_account(own.ports, own.upstream, own.now, connection, mapped)
    assert hold_items.holds(own.store) == []
    operation = push_operation_items.operation(own.store, connection.company_id, "push-1")
    assert operation.status == "Failed"
    assert company_items.find_source_account(own.store, connection.id, "src") is None


def waiting(own: World, connection: Connection) -> None:
    """Two lines that wait in the ledger, and the push operation that brought them."""
    feed = feed_items.find_feed(own.store, feed_id(connection.id, "src"))
    assert feed
    operation = PushOperation(
        key="push-1", company_id=connection.company_id, connection_id=connection.id, account_id="src", door=Door.API,
        requested_on=own.now, through=2, transactions=2,
    )  # fmt: skip
    own.store.commit(
        feed_items.put_feed(feed.but(recorded_through=2)),
        push_operation_items.put_operation(operation),
        push_operation_items.add_open_operation(feed.id, operation),
    )
