"""Unmapping: a source account loses its feed connection. Its waiting lines are held, or fail with the account."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import AccountMapping, SourceAccount, SourceAccountStatus
from feedlane.errors import ReconnectionNeeded, Refused
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Refusal, Upstream
from feedlane.follow_ups import FeedConnectionCheck, RemovedAccountCheck, Wake
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds.hold import Hold
from feedlane.ids import feed_id
from feedlane.mapping import ended, mapping, refused
from feedlane.mapping import items as mapping_items
from feedlane.mapping.refused import REASON_DISCONNECTED, REASON_REJECTED, REASONS_LIFTED_BY_MAPPING
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.scope import Scope
from feedlane.store.store import Store
from feedlane.store.table import Write

# Xero may list a new feed connection late. One that it has not listed after this time does not exist.
LISTING_DELAY_MAX = timedelta(minutes=2)
# The reason of a refusal to do without a country, or of the one given.
COUNTRY_DEMANDED = "country-not-allowed"
_DISCONNECTED_PROBLEM = Problem(
    type=REASON_DISCONNECTED,
    title="Disconnected",
    status=400,
    detail="The source account was disconnected from its Xero account before Xero had confirmed these transactions.",
)


def unmap(
    ports: Ports, upstream: Upstream, now: datetime, connection: Connection, account: SourceAccount
) -> SourceAccount:
    """Deletes the feed connection; the Xero account and the ledger stay. `account` may carry other changes.

    The lines that wait in the ledger are held until the account is mapped again.
    """
    ending = end_feed_connection(upstream, connection, account)
    problem = None if account.wanted is not None else account.problem
    disconnected = account.but(
        status=SourceAccountStatus.DISCONNECTED, mapping=None, wanted=None, problem=problem, modified=now
    )
    return _end_mapping(ports, now, connection, account, disconnected, ending)


def remove_account(
    ports: Ports, upstream: Upstream, now: datetime, connection: Connection, account: SourceAccount
) -> None:
    """Deletes the account with its mapping, its feed connection and its holds, never the Xero account.

    Push operations that wait in its feed fail. The ledger stays, for an account created later under the same id.
    """
    ending = end_feed_connection(upstream, connection, account)
    company = company_items.company(ports.store, account.company_id)
    removed = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, wanted=None, modified=now)
    events = ended.disconnected_event_writes(ports, account, removed, company, now)

    def writes(feed: Feed | None) -> list[Write]:
        holds = hold_items.remove_any_hold(ports.store, Scope.FEED, feed.id) if feed else []
        return [*company_items.remove_counted_account(account), *holds, *events]

    id = feed_id(account.connection_id, account.id)
    ports.queues.follow_up(RemovedAccountCheck(feed_id=id), SAFETY_DELAY_SECONDS)
    mapping_items.record_unmapping(ports.store, connection, account, writes, ending)
    fail_removed_account(ports, now, id)


def fail_removed_account(ports: Ports, now: datetime, id: str) -> None:
    """Fails what waits in the feed of a removed account, unless the account exists again. Safe to repeat."""
    feed = feed_items.find_feed(ports.store, id)
    if feed is not None and company_items.find_source_account(ports.store, feed.connection_id, feed.account_id) is None:
        company = company_items.company(ports.store, feed.company_id)
        placement.fail_ended_feed(ports, feed, _DISCONNECTED_PROBLEM, company, now)


def record_feed_connection_gone(ports: Ports, id: str, feed_connection_id: str, now: datetime) -> bool:
    """Disconnects the account whose feed connection does not exist at Xero, so that it can be mapped again.

    The customer has ended it there. Or Xero was deleting the one that we adopted: False while it is too early to tell,
    or if the account does not have this feed connection any more.
    """
    place = _account_with(ports.store, id, feed_connection_id)
    if place is None:
        return False
    connection, account = place
    is_new = account.status is SourceAccountStatus.CONNECTING
    if is_new and now - account.modified < LISTING_DELAY_MAX:
        return False
    ended.record_ended(ports, connection, account, now)
    return True


def record_feed_connection_rejected(
    ports: Ports, id: str, feed_connection_id: str, problem: Problem, refusal: Refusal, now: datetime
) -> bool:
    """Disconnects the account whose feed connection Xero has rejected, and records Xero's problem on it.

    A problem that another Xero account would not mend is told as if it had come at once (`refused.py`). With any other,
    the lines that wait in the feed are held until the account is mapped again. If Xero demands a country, the feed
    connection is made again with it. False: no account waits for this feed connection any more.
    """
    place = _connecting_with(ports.store, id, feed_connection_id)
    if place is None:
        return False
    connection, account, wanted = place
    country = connection.tenant.country if connection.tenant else ""
    if refusal.reason == COUNTRY_DEMANDED and country and not wanted.country:
        mapping.record_mapped(ports, now, connection, account, wanted.but(country=country), None)
    elif refused.is_for_all(refusal):
        with suppress(refused.AccountChanged):
            refused.record_refused(ports, refusal, connection, account, wanted, now, ending=feed_connection_id)
    else:
        end_wanted(ports, now, connection, account, problem)
    return True


def record_feed_connection_repeated(ports: Ports, id: str, feed_connection_id: str, now: datetime) -> bool:
    """Xero has rejected the account's feed connection, because it has another one with the account's token.

    Two requests were under way: that of a release and somebody's mapping, or one that crashed. The account waits on and
    adopts the other, as if this one had been refused at once. False: no account waits for this one any more.
    """
    place = _connecting_with(ports.store, id, feed_connection_id)
    if place is None:
        return False
    connection, account, wanted = place
    mapping.record_mapped(ports, now, connection, account, wanted, None)
    return True


def end_wanted(ports: Ports, now: datetime, connection: Connection, account: SourceAccount, problem: Problem) -> None:
    """Gives up a mapping that cannot come about: the account has the problem, and what waits is held with it."""
    status = SourceAccountStatus.DISCONNECTED
    given_up = account.but(status=status, mapping=None, wanted=None, problem=problem, modified=now)
    _end_mapping(ports, now, connection, account, given_up)


def hold_unmapped(ports: Ports, feed: Feed, now: datetime) -> None:
    """Holds a feed without a feed connection, until its account is mapped again, so that its waiting operations fail.

    If its mapping was only refused, and no hold says so any more, it is tried again instead.

    Its lines came in while the account was disconnected, or a hold was lifted since. If the account is deleted, the
    operations fail without a hold. Raises `ConditionFailed` if the feed is mapped or held at the same time.
    """
    company = company_items.company(ports.store, feed.company_id)
    account = company_items.find_source_account(ports.store, feed.connection_id, feed.account_id)
    if account is None:
        placement.fail_ended_feed(ports, feed, _DISCONNECTED_PROBLEM, company, now)
        return
    if account.wanted is not None:
        ports.queues.follow_up(FeedConnectionCheck(feed_id=feed.id, once=True), 0)
        return
    hold = _new_hold(feed, account, now, ports.new_id())
    event = hold_events.held(ports, hold, feed.waiting, company, now)
    ports.store.commit(feed_items.feed_unchanged(feed), *hold_items.add_hold(hold), put_event(event))
    placement.fail_waiting(ports, feed, hold, company, now)


def end_feed_connection(upstream: Upstream, connection: Connection, account: SourceAccount) -> str:
    """Deletes it at Xero, while we have access. Without access, it has ended for us. Answers the one that Xero deletes
    now, if it said so."""
    id = account.mapping.feed_connection_id if account.mapping else ""
    if not id or not connection.is_linked:
        return ""
    with suppress(ReconnectionNeeded, Refused):
        upstream.delete_feed_connection(mapping.access_to(connection), id)
        return id
    return ""


def _end_mapping(
    ports: Ports, now: datetime, connection: Connection, account: SourceAccount, after: SourceAccount, ending: str = ""
) -> SourceAccount:
    """Replaces `account`, as it is in the table, with `after`, and holds the lines that wait in its feed."""
    company = company_items.company(ports.store, account.company_id)
    events = ended.disconnected_event_writes(ports, account, after, company, now)
    placed: list[Hold] = []

    def writes(feed: Feed | None) -> list[Write]:
        """Decided on the feed as it is then: lines recorded since the last attempt have to be held too."""
        placed.clear()
        hold_writes: list[Write] = []
        if feed is not None and feed.waiting:
            hold = _new_hold(feed, after, now, ports.new_id())
            hold_writes = _hold_writes(ports, hold, feed.waiting, company, now)
            if hold_writes:
                placed.append(hold)
        return [*company_items.change_source_account(account, after), *events, *hold_writes]

    id = feed_id(account.connection_id, account.id)
    ports.queues.follow_up(Wake(feed_id=id), SAFETY_DELAY_SECONDS)
    mapping_items.record_unmapping(ports.store, connection, account, writes, ending)
    for hold in placed:
        placement.fail_behind_flight(ports, id, hold, company, now)
    return after.but(version=account.version + 1)


def _hold_writes(ports: Ports, hold: Hold, waiting: int, company: Company, now: datetime) -> list[Write]:
    """Places the hold, or replaces one that says less about why the account is not mapped. Empty if another one stands.

    With its events.
    """
    holds = hold_items.holds_of_feed(ports.store, hold.subject)
    if not holds:
        return [*hold_items.add_hold(hold), put_event(hold_events.held(ports, hold, waiting, company, now))]
    standing = holds[0]
    says_more = hold.reason == REASON_REJECTED and standing.reason in REASONS_LIFTED_BY_MAPPING
    if not says_more or standing.releasing:
        return []
    return placement.replacement_writes(ports, standing, hold, waiting, company, now)


def _account_with(store: Store, id: str, feed_connection_id: str) -> tuple[Connection, SourceAccount] | None:
    """The feed's connection and account, if the account has this feed connection."""
    feed = feed_items.find_feed(store, id)
    account = company_items.find_source_account(store, feed.connection_id, feed.account_id) if feed else None
    connection = company_items.find_connection(store, feed.company_id, feed.connection_id) if feed else None
    if account is None or connection is None or account.mapping is None:
        return None
    return (connection, account) if account.mapping.feed_connection_id == feed_connection_id else None


def _connecting_with(
    store: Store, id: str, feed_connection_id: str
) -> tuple[Connection, SourceAccount, AccountMapping] | None:
    """The same if the account still waits for it, with the mapping that is wanted."""
    place = _account_with(store, id, feed_connection_id)
    if place is None or place[1].mapping is None or place[1].status is not SourceAccountStatus.CONNECTING:
        return None
    return *place, place[1].mapping.but(feed_connection_id="")


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
