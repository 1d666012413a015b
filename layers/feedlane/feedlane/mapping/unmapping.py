"""Unmapping: a source account loses its feed connection. What waits is held, or fails with the account."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import ReconnectionNeeded, Refused
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Upstream
from feedlane.follow_ups import RemovedAccountCheck, Wake
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds.hold import Hold
from feedlane.ids import feed_id
from feedlane.mapping import items as mapping_items
from feedlane.mapping.mapping import REASON_DISCONNECTED, REASON_REJECTED, REASONS_LIFTED_BY_MAPPING, access_to
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.scope import Scope
from feedlane.store.store import Store
from feedlane.store.table import Write

# A feed connection that Xero does not show for so long is not just late in showing itself.
LISTING_DELAY_MAX = timedelta(minutes=2)
_DISCONNECTED_PROBLEM = Problem(
    type=REASON_DISCONNECTED,
    title="Disconnected",
    status=400,
    detail="The source account was disconnected from its Xero account before these transactions were sent.",
)


def unmap(
    ports: Ports, upstream: Upstream, now: datetime, connection: Connection, account: SourceAccount
) -> SourceAccount:
    """Ends the feed connection; the Xero account and the ledger stay. `account` may carry other changes.

    What waits in the ledger is held until the account is mapped again.
    """
    _end_feed_connection(upstream, connection, account)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    return _end_mapping(ports, now, connection, account, ended)


def remove_account(
    ports: Ports, upstream: Upstream, now: datetime, connection: Connection, account: SourceAccount
) -> None:
    """Deletes the account with its mapping, its feed connection and its holds, never the Xero account.

    Push operations that wait for its feed fail. The ledger stays, for an account made anew under the same id.
    """
    _end_feed_connection(upstream, connection, account)
    company = company_items.company(ports.store, account.company_id)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    told = _disconnected_event_writes(ports, account, ended, company, now)

    def writes(feed: Feed | None) -> list[Write]:
        lifted = (
            [hold_items.remove_hold(hold) for hold in hold_items.holds_of_feed(ports.store, feed.id)] if feed else []
        )
        return [company_items.remove_source_account(account), *lifted, *told]

    id = feed_id(account.connection_id, account.id)
    ports.queues.follow_up(RemovedAccountCheck(feed_id=id), SAFETY_DELAY_SECONDS)
    mapping_items.record_unmapping(ports.store, connection, account, writes)
    fail_removed_account(ports, now, id)


def fail_removed_account(ports: Ports, now: datetime, id: str) -> None:
    """Fails what waits in the feed of a removed account. May be done again; not if the account was made anew."""
    feed = feed_items.find_feed(ports.store, id)
    if feed is not None and company_items.find_source_account(ports.store, feed.connection_id, feed.account_id) is None:
        company = company_items.company(ports.store, feed.company_id)
        placement.fail_ended_feed(ports, feed, _DISCONNECTED_PROBLEM, company, now)


def record_feed_connection_gone(ports: Ports, id: str, feed_connection_id: str, now: datetime) -> bool:
    """Xero has no such feed connection: the account that waits for it is disconnected, and can be mapped anew.

    So it ends where the one adopted was being deleted. False: it is too soon to say. What waits in the feed is told by
    its wake-up.
    """
    waiting = _account_waiting_for(ports.store, id, feed_connection_id)
    if waiting is None or now - waiting[1].modified < LISTING_DELAY_MAX:
        return False
    connection, account = waiting
    ports.queues.follow_up(Wake(feed_id=id), SAFETY_DELAY_SECONDS)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    told = _disconnected_event_writes(
        ports, account, ended, company_items.company(ports.store, account.company_id), now
    )
    mapping_items.record_unmapping(
        ports.store, connection, account, lambda _: [company_items.put_source_account(ended), *told]
    )
    return True


def record_feed_connection_rejected(
    ports: Ports, id: str, feed_connection_id: str, problem: Problem, now: datetime
) -> bool:
    """Xero has rejected the feed connection that it was setting up: the account is disconnected and says why.

    What waits in the feed is held with Xero's problem, until the account is mapped anew. False: it does not wait for
    this feed connection any more.
    """
    waiting = _account_waiting_for(ports.store, id, feed_connection_id)
    if waiting is None:
        return False
    connection, account = waiting
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, problem=problem, modified=now)
    _end_mapping(ports, now, connection, account, ended)
    return True


def hold_unmapped(ports: Ports, feed: Feed, now: datetime) -> None:
    """What waits in a feed without a feed connection is told of: held until its account is mapped again.

    It came in while the account was disconnected, or a hold was lifted since. Raises `ConditionFailed` if it is mapped
    or held at this moment. Where the account is deleted there is nothing to hold, and what waits has failed.
    """
    company = company_items.company(ports.store, feed.company_id)
    account = company_items.find_source_account(ports.store, feed.connection_id, feed.account_id)
    if account is None:
        placement.fail_ended_feed(ports, feed, _DISCONNECTED_PROBLEM, company, now)
        return
    hold = _new_hold(feed, account, now, ports.new_id())
    held = hold_events.held(ports, hold, feed.waiting, company, now)
    ports.store.commit(feed_items.feed_unchanged(feed), hold_items.add_hold(hold), put_event(held))
    placement.fail_waiting(ports, feed, hold, company, now)


def _end_feed_connection(upstream: Upstream, connection: Connection, account: SourceAccount) -> None:
    """At Xero, while we are let in; what Xero no longer lets us touch has ended for us."""
    if account.mapping is None or not connection.is_linked:
        return
    with suppress(ReconnectionNeeded, Refused):
        upstream.delete_feed_connection(access_to(connection), account.mapping.feed_connection_id)


def _end_mapping(
    ports: Ports, now: datetime, connection: Connection, account: SourceAccount, ended: SourceAccount
) -> SourceAccount:
    """`account` as it is in the table becomes `ended`, and what waits in its feed is held."""
    company = company_items.company(ports.store, account.company_id)
    told = _disconnected_event_writes(ports, account, ended, company, now)
    held: list[Hold] = []

    def writes(feed: Feed | None) -> list[Write]:
        """Decided on the feed as it is then: one that has grown meanwhile has to be held."""
        held.clear()
        holds: list[Write] = []
        if feed is not None and feed.waiting:
            hold = _new_hold(feed, ended, now, ports.new_id())
            writes = _hold_writes(ports, hold, company, now)
            if writes:
                held.append(hold)
                holds = [*writes, put_event(hold_events.held(ports, hold, feed.waiting, company, now))]
        return [company_items.put_source_account(ended), *told, *holds]

    id = feed_id(account.connection_id, account.id)
    ports.queues.follow_up(Wake(feed_id=id), SAFETY_DELAY_SECONDS)
    mapping_items.record_unmapping(ports.store, connection, account, writes)
    for hold in held:
        placement.fail_behind_flight(ports, id, hold, company, now)
    return ended.but(version=account.version + 1)


def _hold_writes(ports: Ports, hold: Hold, company: Company, now: datetime) -> list[Write]:
    """The hold instead of one that tells less of why the account is not mapped. None if another one stands.

    Whoever was told of the one that stands is told that it is over, and that nothing goes on for that.
    """
    standing = hold_items.holds_of_feed(ports.store, hold.subject)
    if not standing:
        return [hold_items.add_hold(hold)]
    knows_more = hold.reason == REASON_REJECTED and standing[0].reason in REASONS_LIFTED_BY_MAPPING
    if not knows_more or standing[0].releasing:
        return []
    over = hold_events.released(ports, standing[0], 0, company, now)
    return [hold_items.replace_hold(standing[0], hold), put_event(over)]


def _account_waiting_for(store: Store, id: str, feed_connection_id: str) -> tuple[Connection, SourceAccount] | None:
    """The feed's account, if it waits for this feed connection to be set up, and its connection."""
    feed = feed_items.find_feed(store, id)
    account = company_items.find_source_account(store, feed.connection_id, feed.account_id) if feed else None
    connection = company_items.find_connection(store, feed.company_id, feed.connection_id) if feed else None
    if account is None or connection is None or account.status is not SourceAccountStatus.CONNECTING:
        return None
    if account.mapping is None or account.mapping.feed_connection_id != feed_connection_id:
        return None
    return connection, account


def _disconnected_event_writes(
    ports: Ports, account: SourceAccount, ended: SourceAccount, company: Company, now: datetime
) -> list[Write]:
    if account.mapping is None:
        return []
    return [put_event(company_events.source_account_disconnected(ports, ended, company, now))]


def _new_hold(feed: Feed, account: SourceAccount, now: datetime, id: str) -> Hold:
    """With Xero's own words if it has rejected the account's feed connection."""
    reason, problem = REASON_DISCONNECTED, _DISCONNECTED_PROBLEM
    if account.problem is not None:
        reason, problem = REASON_REJECTED, account.problem
    return Hold(
        id=id,
        scope=Scope.FEED,
        subject=feed.id,
        reason=reason,
        problem=problem,
        since=now,
        tenant_id=feed.tenant_id,
        company_id=feed.company_id,
        connection_id=feed.connection_id,
        account_id=feed.account_id,
    )
