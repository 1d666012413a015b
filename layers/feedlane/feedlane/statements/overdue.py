"""A look at a feed that nobody has moved on for minutes: is somebody coming back for it, or was a message lost?

A message that is on its way has left a trace: a planned wake-up, or the number of polls of a statement. Where there is
none, the feed is rung. One ring too many does no harm: a feed with nothing to send does nothing, and of several polls
only one is followed by another.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed, FlightStatus
from feedlane.follow_ups import FeedConnectionCheck, StatementCheck
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds.hold import CONNECTION_ENDED_REASONS
from feedlane.mapping import upstream_ended
from feedlane.ports import Ports
from feedlane.scope import Scope
from feedlane.statements import items as statement_items
from feedlane.statements import poll
from feedlane.statements.limits import Lane
from feedlane.statements.statement import StatementRecord, StatementState, is_in_doubt
from feedlane.statements.waits import not_before, planned_wake, wait_keys
from feedlane.store import keys
from feedlane.store.due import LATE_AFTER, NOTHING_LEFT, Look, next_look, next_ring
from feedlane.store.read_ahead import with_read_ahead
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Item, Key

# A release has it looked at anew, so this only counts what is held.
HELD_LOOK_INTERVAL = timedelta(days=1)


def look(ports: Ports, now: datetime, item: Item) -> Look:
    """Rings the feed if nobody else will."""
    feed = Feed.model_validate(item)
    if feed.flight is not None and feed.flight.status is FlightStatus.PENDING:
        return _look_at_flight(ports, now, feed, item, feed.flight.number)
    if not feed.waiting:
        has_open = push_operation_items.open_operations(ports.store, feed.id, through=feed.recorded_through)
        return _ring(ports, now, feed, item) if has_open else NOTHING_LEFT
    return _look_at_waiting(ports, now, feed, item)


def _look_at_flight(ports: Ports, now: datetime, feed: Feed, item: Item, number: int) -> Look:
    """Xero has the statement: is the next poll on its way?"""
    statement = statement_items.find_statement(ports.store, feed.id, number)
    if statement is None or statement.state is not StatementState.PENDING:
        return _ring(ports, now, feed, item)
    if is_in_doubt(statement, now) and company_items.find_company(ports.store, feed.company_id) is None:
        return NOTHING_LEFT
    if _is_given_up(ports.store, feed):
        return NOTHING_LEFT
    until = not_before(ports.store, wait_keys(feed, Lane.LOOKS))
    late = max(filter(None, (_poll_due(statement), until))) + LATE_AFTER
    if now < late:
        return Look(again=late)
    ports.queues.follow_up(StatementCheck(feed_id=feed.id, number=number, turn=statement.turn, once=True), 0)
    return Look(rung=True, again=next_ring(item, now))


def _is_given_up(store: Store, feed: Feed) -> bool:
    """Whether its connection was deleted, and nobody waits for the statement's end any more."""
    if not placement.is_deleted(store, feed, Scope.CONNECTION):
        return False
    return not push_operation_items.open_operations(store, feed.id, after=feed.delivered_through)


def _poll_due(statement: StatementRecord) -> datetime:
    return (statement.posted_on or statement.created) + poll.time_before(statement.turn)


def _look_at_waiting(ports: Ports, now: datetime, feed: Feed, item: Item) -> Look:
    waits = wait_keys(feed, Lane.POSTS)
    company, account = keys.company(feed.company_id), keys.source_account(feed.connection_id, feed.account_id)
    ahead = with_read_ahead(
        ports.store,
        [
            company,
            account,
            keys.connection(feed.company_id, feed.connection_id),
            keys.wake(feed.id),
            *(keys.hold(*subject) for subject in feed.hold_subjects),
            *waits,
        ],
    )
    if ahead.table.get(company) is None:
        return NOTHING_LEFT
    holds = hold_items.holds_on(ahead, feed.hold_subjects)
    if feed.changing and feed.flight is None:
        # The connection is looked at itself; a mapping moves the feed on. Where none comes, the sender holds it.
        if not holds and upstream_ended.is_left_unmapped(ahead, feed, now):
            return _ring(ports, now, feed, item)
        return Look(again=now + HELD_LOOK_INTERVAL)
    source_account = record_in(SourceAccount, ahead.table.get(account))
    if source_account is None or holds:
        if feed.feed_connection_id and any(hold.reason in CONNECTION_ENDED_REASONS for hold in holds):
            ports.queues.follow_up(FeedConnectionCheck(feed_id=feed.id, once=True), 0)
        return _look_at_stopped(ports, now, feed, item, bool(holds))
    if source_account.status is SourceAccountStatus.CONNECTING:
        return Look(again=next_look(now))  # the account is looked at itself
    late = _expected(ahead, feed, waits, now) + LATE_AFTER
    return Look(again=late) if now < late else _ring(ports, now, feed, item)


def _look_at_stopped(ports: Ports, now: datetime, feed: Feed, item: Item, is_held: bool) -> Look:
    """Held, or without an account: nothing is to be done except to fail the operations that wait."""
    if push_operation_items.open_operations(ports.store, feed.id, after=feed.delivered_through):
        return _ring(ports, now, feed, item)
    return Look(again=now + HELD_LOOK_INTERVAL) if is_held else NOTHING_LEFT


def _expected(ahead: Store, feed: Feed, waits: list[Key], now: datetime) -> datetime:
    """When the feed may send, and somebody means to wake it."""
    known = (planned_wake(ahead, feed.id), not_before(ahead, waits), now - LATE_AFTER)
    return max(time for time in known if time is not None)


def _ring(ports: Ports, now: datetime, feed: Feed, item: Item) -> Look:
    ports.queues.wake(feed.id)
    return Look(rung=True, again=next_ring(item, now))
