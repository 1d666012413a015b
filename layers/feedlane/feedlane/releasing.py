"""Releases: a hold is lifted, and what waits goes on in order, under new push operations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane import event_payloads, going_on, holding
from feedlane.connection import Connection
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.feed import Feed, SetAside
from feedlane.follow_ups import Wake
from feedlane.hold import Hold, Scope
from feedlane.ids import NewId
from feedlane.push_operation import PushOperation
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues
from feedlane.release_in_parts import FEEDS_AT_ONCE, release_in_parts
from feedlane.store import ledger
from feedlane.store.attempts import attempts
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Write

MOST_SET_ASIDE = 1000
_ONLY_OWN_HOLD = "only the release of a feed's own hold can set transactions aside"


def find_hold(store: Store, hold_id: str) -> Hold:
    for hold in store.holds():
        if hold.id == hold_id:
            return hold
    raise NotFound("hold", hold_id)


def release(
    store: Store, queues: Queues, now: datetime, new_id: NewId, hold: Hold, set_aside: Sequence[str] = ()
) -> list[PushOperation]:
    """Lifts the hold. Answers the push operations under which the waiting transactions go on.

    Of very many feeds it answers the first: the release goes on by itself, and the hold is lifted at its end.
    `set_aside` names transactions of a held feed that Xero will never take: they stay in its ledger, marked, and the
    rest goes on without them. Raises `NotFound` if somebody else has lifted the hold, `Invalid`, `Conflict` (the feed
    is not connected, or changes at this moment).
    """
    changing = Conflict("The feeds of this hold are changing at this moment; release it again.")
    for attempt in attempts(f"the feeds under hold {hold.id}", otherwise=changing):
        # Before its feeds are read: what fails on its account from now on makes the release look again.
        hold = _as_it_stands(store, hold)
        with attempt:  # a feed may grow meanwhile: its new lines go on under the same push operation
            started = _released(store, queues, now, new_id, hold, set_aside)
    return started


def _released(
    store: Store, queues: Queues, now: datetime, new_id: NewId, hold: Hold, set_aside: Sequence[str]
) -> list[PushOperation]:
    marked = _marked(store, hold, set_aside, now) if set_aside else None
    page = holding.page_under(store, hold.scope, hold.subject)
    feeds, companies = going_on.those_that_wait(store, page.feeds)
    if marked is not None:
        feeds = [marked]
    elif hold.releasing or page.resume_after is not None or len(feeds) > FEEDS_AT_ONCE:
        return release_in_parts(store, queues, now, new_id, hold)
    if hold.scope is Scope.FEED and not all(feed.feed_connection_id for feed in feeds):
        raise Conflict("The account is disconnected from Xero; what waits goes on by itself once it is mapped again.")
    for feed in feeds:
        queues.follow_up(Wake(feed_id=feed.id), SAFETY_DELAY_SECONDS)
    started = [going_on.operation_of(feed, now, new_id()) for feed in feeds]
    company = going_on.company_of(store, hold, companies)
    waiting = sum(feed.waiting for feed in feeds)
    event = event_payloads.released(new_id(), hold, waiting, company, now, tuple(set_aside))
    writes: list[Write] = [ledger.put_feed(marked)] if marked else [ledger.unmoved(feed) for feed in feeds]
    for feed, operation in zip(feeds, started, strict=True):
        writes += going_on.started(feed, operation)
    store.commit(store.lift_hold(hold), emitted(event), *writes)
    for feed in feeds:
        queues.wake(feed.id)
    return [operation.but(version=1) for operation in started]


def _as_it_stands(store: Store, hold: Hold) -> Hold:
    """The hold as it is now: lists of holds may be behind. Raises `NotFound`."""
    for found in store.holds_on([(hold.scope, hold.subject)]):
        if found.id == hold.id:
            return found
    raise NotFound("hold", hold.id)


def release_feed(
    store: Store, queues: Queues, now: datetime, new_id: NewId, feed: Feed, set_aside: Sequence[str] = ()
) -> list[PushOperation]:
    """Lifts every hold that stops the feed, the tenant's and the app's included.

    Its own goes first: if what is to be set aside is refused, nothing has been lifted.
    """
    started: list[PushOperation] = []
    holds = sorted(store.holds_on(feed.holdable), key=lambda hold: hold.scope is not Scope.FEED)
    if set_aside and not any(hold.scope is Scope.FEED for hold in holds):
        raise Invalid.field("setAside", _ONLY_OWN_HOLD, "Scope")
    for hold in holds:
        started += release(store, queues, now, new_id, hold, set_aside if hold.scope is Scope.FEED else ())
    return started


def connection_is_back(store: Store, queues: Queues, now: datetime, new_id: NewId, connection: Connection) -> None:
    """After a (re)connection: its feeds use the new token set, and what waited for the customer goes on by itself."""
    if connection.tenant is None or connection.token_set_id is None:
        return
    for feed in ledger.feeds_of_connection(store, connection.id):
        _carry_over(store, feed.id, connection)
    for hold in store.holds_on([(Scope.CONNECTION, connection.id)]):
        release(store, queues, now, new_id, hold)


def _carry_over(store: Store, feed_id: str, connection: Connection) -> None:
    for attempt in attempts(f"feed {feed_id}"):
        feed = ledger.find_feed(store, feed_id)
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
            store.commit(ledger.put_feed(changed))


def _marked(store: Store, hold: Hold, ids: Sequence[str], now: datetime) -> Feed:
    """The held feed with these of its waiting lines set aside."""
    feed = ledger.find_feed(store, hold.subject) if hold.scope is Scope.FEED else None
    if feed is None:
        raise Invalid.field("setAside", _ONLY_OWN_HOLD, "Scope")
    if feed.flight is not None:
        raise Conflict("A statement of the feed is under way; release without setting aside, or wait for its end.")
    known = ledger.known_ids(store, feed, ids)
    marked = {line.transaction_id: line for line in feed.set_aside}
    for id in ids:
        if id not in known or known[id].sequence <= feed.delivered_through:
            raise Invalid.field(f"setAside.{id}", "is no transaction that waits in this feed", "Waiting")
        marked[id] = SetAside(sequence=known[id].sequence, transaction_id=id, on=now)
    if len(marked) > MOST_SET_ASIDE:
        raise Invalid.field("setAside", f"a feed has at most {MOST_SET_ASIDE} transactions set aside", "MaximumCount")
    return feed.but(set_aside=tuple(sorted(marked.values(), key=lambda line: line.sequence)))
