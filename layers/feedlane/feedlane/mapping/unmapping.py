"""Unmapping: a source account loses its feed connection. Its waiting lines are held, or fail with the account."""

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

# Xero may list a new feed connection late. One that it has not listed after this time does not exist.
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
    """Deletes the feed connection; the Xero account and the ledger stay. `account` may carry other changes.

    The lines that wait in the ledger are held until the account is mapped again.
    """
    _end_feed_connection(upstream, connection, account)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    return _end_mapping(ports, now, connection, account, ended)


def remove_account(
    ports: Ports, upstream: Upstream, now: datetime, connection: Connection, account: SourceAccount
) -> None:
    """Deletes the account with its mapping, its feed connection and its holds, never the Xero account.

    Push operations that wait in its feed fail. The ledger stays, for an account created later under the same id.
    """
    _end_feed_connection(upstream, connection, account)
    company = company_items.company(ports.store, account.company_id)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    events = _disconnected_event_writes(ports, account, ended, company, now)

    def writes(feed: Feed | None) -> list[Write]:
        holds = hold_items.holds_of_feed(ports.store, feed.id) if feed else []
        return [*company_items.remove_counted_account(account), *map(hold_items.remove_hold, holds), *events]

    id = feed_id(account.connection_id, account.id)
    ports.queues.follow_up(RemovedAccountCheck(feed_id=id), SAFETY_DELAY_SECONDS)
    mapping_items.record_unmapping(ports.store, connection, account, writes)
    fail_removed_account(ports, now, id)


def fail_removed_account(ports: Ports, now: datetime, id: str) -> None:
    """Fails what waits in the feed of a removed account, unless the account exists again. Safe to repeat."""
    feed = feed_items.find_feed(ports.store, id)
    if feed is not None and company_items.find_source_account(ports.store, feed.connection_id, feed.account_id) is None:
        company = company_items.company(ports.store, feed.company_id)
        placement.fail_ended_feed(ports, feed, _DISCONNECTED_PROBLEM, company, now)


def record_feed_connection_gone(ports: Ports, id: str, feed_connection_id: str, now: datetime) -> bool:
    """Disconnects the account whose feed connection does not exist at Xero, so that it can be mapped again.

    This happens if Xero was deleting the feed connection that we adopted. False: no account waits for it, or it is too
    early to tell. The wake-up of the feed holds its waiting lines.
    """
    place = _account_waiting_for(ports.store, id, feed_connection_id)
    if place is None or now - place[1].modified < LISTING_DELAY_MAX:
        return False
    connection, account = place
    ports.queues.follow_up(Wake(feed_id=id), SAFETY_DELAY_SECONDS)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    company = company_items.company(ports.store, account.company_id)
    writes = [
        company_items.put_source_account(ended),
        *_disconnected_event_writes(ports, account, ended, company, now),
    ]
    mapping_items.record_unmapping(ports.store, connection, account, lambda _: writes)
    return True


def record_feed_connection_rejected(
    ports: Ports, id: str, feed_connection_id: str, problem: Problem, now: datetime
) -> bool:
    """Disconnects the account whose feed connection Xero has rejected, and records Xero's problem on it.

    The lines that wait in the feed are held with that problem until the account is mapped again. False: no account
    waits for this feed connection any more.
    """
    place = _account_waiting_for(ports.store, id, feed_connection_id)
    if place is None:
        return False
    connection, account = place
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, problem=problem, modified=now)
    _end_mapping(ports, now, connection, account, ended)
    return True


def hold_unmapped(ports: Ports, feed: Feed, now: datetime) -> None:
    """Holds a feed without a feed connection, until its account is mapped again, so that its waiting operations fail.

    Its lines came in while the account was disconnected, or a hold was lifted since. If the account is deleted, the
    operations fail without a hold. Raises `ConditionFailed` if the feed is mapped or held at the same time.
    """
    company = company_items.company(ports.store, feed.company_id)
    account = company_items.find_source_account(ports.store, feed.connection_id, feed.account_id)
    if account is None:
        placement.fail_ended_feed(ports, feed, _DISCONNECTED_PROBLEM, company, now)
        return
    hold = _new_hold(feed, account, now, ports.new_id())
    event = hold_events.held(ports, hold, feed.waiting, company, now)
    ports.store.commit(feed_items.feed_unchanged(feed), hold_items.add_hold(hold), put_event(event))
    placement.fail_waiting(ports, feed, hold, company, now)


def _end_feed_connection(upstream: Upstream, connection: Connection, account: SourceAccount) -> None:
    """Deletes it at Xero, while we have access. Without access, it has ended for us."""
    if account.mapping is None or not connection.is_linked:
        return
    with suppress(ReconnectionNeeded, Refused):
        upstream.delete_feed_connection(access_to(connection), account.mapping.feed_connection_id)


def _end_mapping(
    ports: Ports, now: datetime, connection: Connection, account: SourceAccount, ended: SourceAccount
) -> SourceAccount:
    """Replaces `account`, as it is in the table, with `ended`, and holds the lines that wait in its feed."""
    company = company_items.company(ports.store, account.company_id)
    events = _disconnected_event_writes(ports, account, ended, company, now)
    placed: list[Hold] = []

    def writes(feed: Feed | None) -> list[Write]:
        """Decided on the feed as it is then: lines recorded since the last attempt have to be held too."""
        placed.clear()
        hold_writes: list[Write] = []
        if feed is not None and feed.waiting:
            hold = _new_hold(feed, ended, now, ports.new_id())
            hold_writes = _hold_writes(ports, hold, company, now)
            if hold_writes:
                placed.append(hold)
                hold_writes.append(put_event(hold_events.held(ports, hold, feed.waiting, company, now)))
        return [company_items.put_source_account(ended), *events, *hold_writes]

    id = feed_id(account.connection_id, account.id)
    ports.queues.follow_up(Wake(feed_id=id), SAFETY_DELAY_SECONDS)
    mapping_items.record_unmapping(ports.store, connection, account, writes)
    for hold in placed:
        placement.fail_behind_flight(ports, id, hold, company, now)
    return ended.but(version=account.version + 1)


def _hold_writes(ports: Ports, hold: Hold, company: Company, now: datetime) -> list[Write]:
    """Places the hold, or replaces one that says less about why the account is not mapped. Empty if another one stands.

    The hold that is replaced gets its event of release, with no lines released.
    """
    holds = hold_items.holds_of_feed(ports.store, hold.subject)
    if not holds:
        return [hold_items.add_hold(hold)]
    standing = holds[0]
    says_more = hold.reason == REASON_REJECTED and standing.reason in REASONS_LIFTED_BY_MAPPING
    if not says_more or standing.releasing:
        return []
    event = hold_events.released(ports, standing, 0, company, now)
    return [hold_items.replace_hold(standing, hold), put_event(event)]


def _account_waiting_for(store: Store, id: str, feed_connection_id: str) -> tuple[Connection, SourceAccount] | None:
    """The feed's connection and account, if the account waits for Xero to set up this feed connection."""
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
    """With Xero's own problem if it has rejected the account's feed connection."""
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
