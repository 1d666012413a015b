"""Releasing a hold: one commit lifts it and starts a push operation for each feed with waiting lines.

Too many feeds for one commit are handed to `long_release`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.companies.connection import FEED_CONNECTIONS_2_SCOPE, Connection
from feedlane.companies.reconnection import MISSING_FEED_CONNECTIONS_SCOPE
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.push_operation import PushOperation
from feedlane.follow_ups import Wake
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds import release_operations, setting_aside
from feedlane.holds.held_feeds import feed_page_in_scope
from feedlane.holds.history import add_release
from feedlane.holds.hold import Hold
from feedlane.holds.long_release import FEEDS_PER_COMMIT_MAX, connect_awaiting, release_in_parts
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.scope import Scope
from feedlane.store.attempts import attempts
from feedlane.store.due import next_look
from feedlane.store.store import Store
from feedlane.store.table import Write

_ONLY_OWN_HOLD = "only releasing a feed's own hold can set transactions aside"


def release(
    ports: Ports, now: datetime, hold: Hold, set_aside: Sequence[str] = (), by: str = ""
) -> list[PushOperation]:
    """Lifts the hold. Answers the push operations under which the waiting transactions are sent.

    For very many feeds of an app it answers those of the first page: the release continues by itself, and lifts the
    hold at its end. `set_aside` names transactions of a held feed that Xero will never accept: they stay in its ledger,
    marked, and the rest is sent without them. `by`: who asks for it, for the hold's history; empty if nobody does.
    Raises `NotFound` if the hold is already lifted, `Invalid`, `Conflict` (the feed is not connected, or keeps
    changing).
    """
    changing = Conflict("The feeds of this hold are changing right now; try again.")
    for attempt in attempts(f"the feeds under hold {hold.id}", otherwise=changing):
        # Read before its feeds: an operation that fails because of the hold from now on causes another attempt.
        hold = _reload_hold(ports.store, hold)
        with attempt:  # fails if a feed grows: the next attempt's operation covers the new lines too
            operations = _try_release(ports, now, hold, set_aside, by)
    return operations


def release_feed(
    ports: Ports, now: datetime, feed: Feed, set_aside: Sequence[str] = (), by: str = ""
) -> list[PushOperation]:
    """Lifts every hold that stops the feed, including those of its tenant and of the app.

    Its own is first: if `set_aside` is refused, nothing has been lifted.
    """
    operations: list[PushOperation] = []
    holds = sorted(hold_items.holds_on(ports.store, feed.hold_subjects), key=lambda hold: hold.scope is not Scope.FEED)
    if set_aside and not any(hold.scope is Scope.FEED for hold in holds):
        raise Invalid.field("setAside", _ONLY_OWN_HOLD, "Scope")
    for hold in holds:
        operations += release(ports, now, hold, set_aside if hold.scope is Scope.FEED else (), by)
    return operations


def resume_connection(ports: Ports, now: datetime, connection: Connection, once: bool = False) -> None:
    """After a (re)connection: its feeds use the new token set, and the holds that asked for it are released.

    `once`: as in `connect_awaiting`.
    """
    if connection.tenant is None or connection.token_set_id is None or connection.is_ending:
        return
    feeds = feed_items.feeds_of_connection(ports.store, connection.id)
    for feed in feeds:
        _update_feed(ports.store, feed.id, connection)
    for awaiting in _awaiting_scope(ports.store, connection, feeds):
        release(ports, now, awaiting)
    if hold := hold_items.find_hold(ports.store, Scope.CONNECTION, connection.id):
        release(ports, now, hold)
    else:
        connect_awaiting(ports.queues, feeds, once=once)


def is_resumed(store: Store, connection: Connection) -> bool:
    """Whether nothing is left to do of what follows a (re)connection."""
    if hold_items.find_hold(store, Scope.CONNECTION, connection.id):
        return False
    feeds = feed_items.feeds_of_connection(store, connection.id)
    if _awaiting_scope(store, connection, feeds):
        return False
    return all(_updated(feed, connection) == feed for feed in feeds)


def _awaiting_scope(store: Store, connection: Connection, feeds: Sequence[Feed]) -> list[Hold]:
    """The holds of feeds whose mapping needed a scope that the connection was authorised without, and has now."""
    if FEED_CONNECTIONS_2_SCOPE not in connection.scopes:
        return []
    holds = hold_items.holds_on(store, [(Scope.FEED, feed.id) for feed in feeds])
    return [hold for hold in holds if hold.reason == MISSING_FEED_CONNECTIONS_SCOPE]


def _try_release(ports: Ports, now: datetime, hold: Hold, set_aside: Sequence[str], by: str) -> list[PushOperation]:
    marked_feed, pages = _mark(ports.store, hold, set_aside, now) if set_aside else (None, [])
    page = feed_page_in_scope(ports.store, hold.scope, hold.subject)
    feeds, companies = release_operations.feeds_with_waiting_lines(ports.store, page.feeds)
    if marked_feed is not None:
        feeds = [marked_feed]
    elif hold.releasing or page.resume_after is not None or len(feeds) > FEEDS_PER_COMMIT_MAX:
        return release_in_parts(ports, now, hold if hold.releasing else hold.but(released_by=by))
    if hold.scope is Scope.FEED and not all(_may_be_fed(feed) for feed in feeds):
        raise Conflict("The account is disconnected from Xero; what is waiting is sent once it is mapped again.")
    for feed in feeds:
        ports.queues.follow_up(Wake(feed_id=feed.id), SAFETY_DELAY_SECONDS)
    connect_awaiting(ports.queues, page.feeds, SAFETY_DELAY_SECONDS)
    operations = [release_operations.release_operation(feed, now, ports.new_id()) for feed in feeds]
    company = release_operations.company_of(ports.store, hold, companies)
    waiting = sum(feed.waiting for feed in feeds)
    event = hold_events.released(ports, hold, waiting, company, now, tuple(set_aside))
    # While they were held, the watch has hardly looked at them.
    heads = [marked_feed] if marked_feed else feeds
    writes: list[Write] = [*pages, *(feed_items.put_feed(feed.but(look=next_look(now))) for feed in heads)]
    for feed, operation in zip(feeds, operations, strict=True):
        writes += release_operations.operation_writes(feed, operation)
    writes.append(add_release(ports.store, hold, now, by, waiting, operations))
    ports.store.commit(*hold_items.lift_hold(hold), put_event(event), *writes)
    for feed in feeds:
        ports.queues.wake(feed.id)
    connect_awaiting(ports.queues, page.feeds)
    return [operation.but(version=1) for operation in operations]


def _may_be_fed(feed: Feed) -> bool:
    """Whether what is released is sent, or waits for a mapping that is to come."""
    return bool(feed.feed_connection_id) or feed.awaits_connection or feed.changing


def _reload_hold(store: Store, hold: Hold) -> Hold:
    """The hold as it is now: lists of holds may lag. Raises `NotFound` if it is lifted."""
    standing = hold_items.find_hold(store, hold.scope, hold.subject)
    if standing is None or standing.id != hold.id:
        raise NotFound("hold", hold.id)
    return standing


def _update_feed(store: Store, feed_id: str, connection: Connection) -> None:
    for attempt in attempts(f"feed {feed_id}"):
        feed = feed_items.find_feed(store, feed_id)
        if feed is None:
            return
        updated = _updated(feed, connection)
        if updated == feed:
            return
        with attempt:
            store.commit(feed_items.put_feed(updated))


def _updated(feed: Feed, connection: Connection) -> Feed:
    """The feed with what its connection gives access to now."""
    if connection.tenant is None:
        return feed
    return feed.but(
        tenant_id=connection.tenant.id, token_set_id=connection.token_set_id, time_zone=connection.tenant.time_zone
    )


def _mark(store: Store, hold: Hold, ids: Sequence[str], now: datetime) -> tuple[Feed, list[Write]]:
    """The held feed with these of its waiting lines set aside, and the pages that say which they are."""
    feed = feed_items.find_feed(store, hold.subject) if hold.scope is Scope.FEED else None
    if feed is None:
        raise Invalid.field("setAside", _ONLY_OWN_HOLD, "Scope")
    return setting_aside.mark(store, feed, ids, now)
