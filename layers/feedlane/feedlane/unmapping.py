"""Unmapping: a source account loses its feed connection. What waits is held, or fails with the account."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from feedlane import event_payloads, holding
from feedlane.company import Company
from feedlane.connection import Connection
from feedlane.errors import ReconnectionNeeded, Refused
from feedlane.feed import Feed, feed_id
from feedlane.follow_ups import RemovedAccountCheck, Wake
from feedlane.hold import Hold, Scope
from feedlane.ids import NewId
from feedlane.mapping import DISCONNECTED, MENDED_BY_MAPPING, REJECTED, access_to
from feedlane.problem import Problem
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues
from feedlane.source_account import SourceAccount, SourceAccountStatus
from feedlane.store import ledger, mappings
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Write
from feedlane.upstream import Upstream

# A feed connection that Xero does not show for so long is not just late in showing itself.
LONGEST_UNSEEN = timedelta(minutes=2)
_UNMAPPED = Problem(
    type=DISCONNECTED,
    title="Disconnected",
    status=400,
    detail="The source account was disconnected from its Xero account before these transactions were sent.",
)


def unmap(
    store: Store, upstream: Upstream, queues: Queues, now: datetime, new_id: NewId, connection: Connection,
    account: SourceAccount,
) -> SourceAccount:  # fmt: skip
    """Ends the feed connection; the Xero account and the ledger stay. `account` may carry other changes.

    What waits in the ledger is held until the account is mapped again.
    """
    _end_feed_connection(upstream, connection, account)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    return _end(store, queues, now, new_id, connection, account, ended)


def remove_account(
    store: Store, upstream: Upstream, queues: Queues, now: datetime, new_id: NewId, connection: Connection,
    account: SourceAccount,
) -> None:  # fmt: skip
    """Deletes the account with its mapping, its feed connection and its holds, never the Xero account.

    Push operations that wait for its feed fail. The ledger stays, for an account made anew under the same id.
    """
    _end_feed_connection(upstream, connection, account)
    company = store.company(account.company_id)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    told = _told_if_ended(account, ended, company, now, new_id)

    def writes(feed: Feed | None) -> list[Write]:
        lifted = [store.remove_hold(hold) for hold in holding.holds_of_feed(store, feed.id)] if feed else []
        return [store.remove_source_account(account), *lifted, *told]

    id = feed_id(account.connection_id, account.id)
    queues.follow_up(RemovedAccountCheck(feed_id=id), SAFETY_DELAY_SECONDS)
    mappings.record_end(store, connection, account, writes)
    end_removed(store, now, new_id, id)


def end_removed(store: Store, now: datetime, new_id: NewId, id: str) -> None:
    """Fails what waits in the feed of a removed account. May be done again; not if the account was made anew."""
    feed = ledger.find_feed(store, id)
    if feed is not None and store.find_source_account(feed.connection_id, feed.account_id) is None:
        company = store.company(feed.company_id)
        holding.fail_ended(store, feed, _UNMAPPED, company, now, new_id)


def feed_connection_gone(
    store: Store, queues: Queues, id: str, feed_connection_id: str, now: datetime, new_id: NewId
) -> bool:
    """Xero has no such feed connection: the account that waits for it is disconnected, and can be mapped anew.

    So it ends where the one adopted was being deleted. False: it is too soon to say. What waits in the feed is told by
    its wake-up.
    """
    waiting = _waiting_for(store, id, feed_connection_id)
    if waiting is None or now - waiting[1].modified < LONGEST_UNSEEN:
        return False
    connection, account = waiting
    queues.follow_up(Wake(feed_id=id), SAFETY_DELAY_SECONDS)
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, modified=now)
    told = _told_if_ended(account, ended, store.company(account.company_id), now, new_id)
    mappings.record_end(store, connection, account, lambda _: [store.put_source_account(ended), *told])
    return True


def feed_connection_rejected(
    store: Store, queues: Queues, id: str, feed_connection_id: str, problem: Problem, now: datetime, new_id: NewId
) -> bool:
    """Xero has rejected the feed connection that it was setting up: the account is disconnected and says why.

    What waits in the feed is held with Xero's problem, until the account is mapped anew. False: it does not wait for
    this feed connection any more.
    """
    waiting = _waiting_for(store, id, feed_connection_id)
    if waiting is None:
        return False
    connection, account = waiting
    ended = account.but(status=SourceAccountStatus.DISCONNECTED, mapping=None, problem=problem, modified=now)
    _end(store, queues, now, new_id, connection, account, ended)
    return True


def tell_unmapped(store: Store, feed: Feed, now: datetime, new_id: NewId) -> None:
    """What waits in a feed without a feed connection is told of: held until its account is mapped again.

    It came in while the account was disconnected, or a hold was lifted since. Raises `ConditionFailed` if it is mapped
    or held at this moment. Where the account is deleted there is nothing to hold, and what waits has failed.
    """
    company = store.company(feed.company_id)
    account = store.find_source_account(feed.connection_id, feed.account_id)
    if account is None:
        holding.fail_ended(store, feed, _UNMAPPED, company, now, new_id)
        return
    hold = _hold(feed, account, now, new_id())
    held = event_payloads.held(new_id(), hold, feed.waiting, company, now)
    store.commit(ledger.unmoved(feed), store.add_hold(hold), emitted(held))
    holding.fail_waiting(store, feed, hold, company, now, new_id)


def _end_feed_connection(upstream: Upstream, connection: Connection, account: SourceAccount) -> None:
    """At Xero, while we are let in; what Xero no longer lets us touch has ended for us."""
    if account.mapping is None or not connection.is_linked:
        return
    with suppress(ReconnectionNeeded, Refused):
        upstream.delete_feed_connection(access_to(connection), account.mapping.feed_connection_id)


def _end(
    store: Store, queues: Queues, now: datetime, new_id: NewId, connection: Connection, account: SourceAccount,
    ended: SourceAccount,
) -> SourceAccount:  # fmt: skip
    """`account` as it is in the table becomes `ended`, and what waits in its feed is held."""
    company = store.company(account.company_id)
    told = _told_if_ended(account, ended, company, now, new_id)
    held: list[Hold] = []

    def writes(feed: Feed | None) -> list[Write]:
        """Decided on the feed as it is then: one that has grown meanwhile has to be held."""
        held.clear()
        holds: list[Write] = []
        if feed is not None and feed.waiting:
            hold = _hold(feed, ended, now, new_id())
            writes = _held_by(store, hold, company, now, new_id)
            if writes:
                held.append(hold)
                holds = [*writes, emitted(event_payloads.held(new_id(), hold, feed.waiting, company, now))]
        return [store.put_source_account(ended), *told, *holds]

    id = feed_id(account.connection_id, account.id)
    queues.follow_up(Wake(feed_id=id), SAFETY_DELAY_SECONDS)
    mappings.record_end(store, connection, account, writes)
    for hold in held:
        holding.fail_behind(store, id, hold, company, now, new_id)
    return ended.but(version=account.version + 1)


def _held_by(store: Store, hold: Hold, company: Company, now: datetime, new_id: NewId) -> list[Write]:
    """The hold instead of one that tells less of why the account is not mapped. None if another one stands.

    Whoever was told of the one that stands is told that it is over, and that nothing goes on for that.
    """
    standing = holding.holds_of_feed(store, hold.subject)
    if not standing:
        return [store.add_hold(hold)]
    knows_more = hold.reason == REJECTED and standing[0].reason in MENDED_BY_MAPPING
    if not knows_more or standing[0].releasing:
        return []
    over = event_payloads.released(new_id(), standing[0], 0, company, now)
    return [store.replace_hold(standing[0], hold), emitted(over)]


def _waiting_for(store: Store, id: str, feed_connection_id: str) -> tuple[Connection, SourceAccount] | None:
    """The feed's account, if it waits for this feed connection to be set up, and its connection."""
    feed = ledger.find_feed(store, id)
    account = store.find_source_account(feed.connection_id, feed.account_id) if feed else None
    connection = store.find_connection(feed.company_id, feed.connection_id) if feed else None
    if account is None or connection is None or account.status is not SourceAccountStatus.CONNECTING:
        return None
    if account.mapping is None or account.mapping.feed_connection_id != feed_connection_id:
        return None
    return connection, account


def _told_if_ended(
    account: SourceAccount, ended: SourceAccount, company: Company, now: datetime, new_id: NewId
) -> list[Write]:
    if account.mapping is None:
        return []
    return [emitted(event_payloads.source_account_disconnected(new_id(), ended, company, now))]


def _hold(feed: Feed, account: SourceAccount, now: datetime, id: str) -> Hold:
    """With Xero's own words if it has rejected the account's feed connection."""
    reason, problem = DISCONNECTED, _UNMAPPED
    if account.problem is not None:
        reason, problem = REJECTED, account.problem
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
