"""Releases: a hold is lifted, and what waits goes on in order, under new push operations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.companies.connection import Connection
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, SetAside
from feedlane.feeds.push_operation import PushOperation
from feedlane.follow_ups import Wake
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds import placement, release_operations
from feedlane.holds.hold import Hold
from feedlane.holds.long_release import FEEDS_PER_COMMIT_MAX, release_in_parts
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.scope import Scope
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import Write

SET_ASIDE_MAX = 1000
_ONLY_OWN_HOLD = "only the release of a feed's own hold can set transactions aside"


def find_hold(store: Store, hold_id: str) -> Hold:
    for hold in hold_items.holds(store):
        if hold.id == hold_id:
            return hold
    raise NotFound("hold", hold_id)


def release(ports: Ports, now: datetime, hold: Hold, set_aside: Sequence[str] = ()) -> list[PushOperation]:
    """Lifts the hold. Answers the push operations under which the waiting transactions go on.

    Of very many feeds it answers the first: the release goes on by itself, and the hold is lifted at its end.
    `set_aside` names transactions of a held feed that Xero will never take: they stay in its ledger, marked, and the
    rest goes on without them. Raises `NotFound` if somebody else has lifted the hold, `Invalid`, `Conflict` (the feed
    is not connected, or changes at this moment).
    """
    changing = Conflict("The feeds of this hold are changing at this moment; release it again.")
    for attempt in attempts(f"the feeds under hold {hold.id}", otherwise=changing):
        # Before its feeds are read: what fails on its account from now on makes the release look again.
        hold = _reload_hold(ports.store, hold)
        with attempt:  # a feed may grow meanwhile: its new lines go on under the same push operation
            started = _try_release(ports, now, hold, set_aside)
    return started


def _try_release(ports: Ports, now: datetime, hold: Hold, set_aside: Sequence[str]) -> list[PushOperation]:
    marked = _with_set_aside(ports.store, hold, set_aside, now) if set_aside else None
    page = placement.feed_page_in_scope(ports.store, hold.scope, hold.subject)
    feeds, companies = release_operations.feeds_with_waiting_lines(ports.store, page.feeds)
    if marked is not None:
        feeds = [marked]
    elif hold.releasing or page.resume_after is not None or len(feeds) > FEEDS_PER_COMMIT_MAX:
        return release_in_parts(ports, now, hold)
    if hold.scope is Scope.FEED and not all(feed.feed_connection_id for feed in feeds):
        raise Conflict("The account is disconnected from Xero; what waits goes on by itself once it is mapped again.")
    for feed in feeds:
        ports.queues.follow_up(Wake(feed_id=feed.id), SAFETY_DELAY_SECONDS)
    started = [release_operations.release_operation(feed, now, ports.new_id()) for feed in feeds]
    company = release_operations.company_of(ports.store, hold, companies)
    waiting = sum(feed.waiting for feed in feeds)
    event = hold_events.released(ports, hold, waiting, company, now, tuple(set_aside))
    writes: list[Write] = (
        [feed_items.put_feed(marked)] if marked else [feed_items.feed_unchanged(feed) for feed in feeds]
    )
    for feed, operation in zip(feeds, started, strict=True):
        writes += release_operations.operation_writes(feed, operation)
    ports.store.commit(hold_items.lift_hold(hold), put_event(event), *writes)
    for feed in feeds:
        ports.queues.wake(feed.id)
    return [operation.but(version=1) for operation in started]


def _reload_hold(store: Store, hold: Hold) -> Hold:
    """The hold as it is now: lists of holds may be behind. Raises `NotFound`."""
    for found in hold_items.holds_on(store, [(hold.scope, hold.subject)]):
        if found.id == hold.id:
            return found
    raise NotFound("hold", hold.id)


def release_feed(ports: Ports, now: datetime, feed: Feed, set_aside: Sequence[str] = ()) -> list[PushOperation]:
    """Lifts every hold that stops the feed, the tenant's and the app's included.

    Its own goes first: if what is to be set aside is refused, nothing has been lifted.
    """
    started: list[PushOperation] = []
    holds = sorted(hold_items.holds_on(ports.store, feed.hold_subjects), key=lambda hold: hold.scope is not Scope.FEED)
    if set_aside and not any(hold.scope is Scope.FEED for hold in holds):
        raise Invalid.field("setAside", _ONLY_OWN_HOLD, "Scope")
    for hold in holds:
        started += release(ports, now, hold, set_aside if hold.scope is Scope.FEED else ())
    return started


def resume_connection(ports: Ports, now: datetime, connection: Connection) -> None:
    """After a (re)connection: its feeds use the new token set, and what waited for the customer goes on by itself."""
    if connection.tenant is None or connection.token_set_id is None:
        return
    for feed in feed_items.feeds_of_connection(ports.store, connection.id):
        _update_feed(ports.store, feed.id, connection)
    for hold in hold_items.holds_on(ports.store, [(Scope.CONNECTION, connection.id)]):
        release(ports, now, hold)


def _update_feed(store: Store, feed_id: str, connection: Connection) -> None:
    for attempt in attempts(f"feed {feed_id}"):
        feed = feed_items.find_feed(store, feed_id)
        if feed is None or connection.tenant is None:
            return
        changed = feed.but(
            tenant_id=connection.tenant.id,
            token_set_id=connection.token_set_id,
            time_zone=connection.tenant.time_zone,
        )
        if changed == feed:
            return
        with attempt:
            store.commit(feed_items.put_feed(changed))


def _with_set_aside(store: Store, hold: Hold, ids: Sequence[str], now: datetime) -> Feed:
    """The held feed with these of its waiting lines set aside."""
    feed = feed_items.find_feed(store, hold.subject) if hold.scope is Scope.FEED else None
    if feed is None:
        raise Invalid.field("setAside", _ONLY_OWN_HOLD, "Scope")
    if feed.flight is not None:
        raise Conflict("A statement of the feed is under way; release without setting aside, or wait for its end.")
    known = feed_items.recorded_ids(store, feed, ids)
    marked = {line.transaction_id: line for line in feed.set_aside}
    for id in ids:
        if id not in known or known[id].sequence <= feed.delivered_through:
            raise Invalid.field(f"setAside.{id}", "is no transaction that waits in this feed", "Waiting")
        marked[id] = SetAside(sequence=known[id].sequence, transaction_id=id, on=now)
    if len(marked) > SET_ASIDE_MAX:
        raise Invalid.field("setAside", f"a feed has at most {SET_ASIDE_MAX} transactions set aside", "MaximumCount")
    return feed.but(set_aside=tuple(sorted(marked.values(), key=lambda line: line.sequence)))
