"""Placing a hold: records the reason once, with its event, and fails the push operations that it stops."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection_end import disconnection_writes
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_end
from feedlane.feeds.feed import Feed, FlightStatus
from feedlane.feeds.upstream import Refusal
from feedlane.follow_ups import FeedConnectionCheck, HoldCheck
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds.held_feeds import count_waiting, feed_page_in_scope
from feedlane.holds.hold import CONNECTION_ENDED_REASONS, HeldLine, Hold
from feedlane.holds.items import still_standing
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import EXISTS, Condition, ConditionFailed, Contended, Key, Write

# In a check of a hold that no feed has met.
NO_FEED = "none"


def hold_feed(
    ports: Ports,
    feed: Feed,
    refusal: Refusal,
    company: Company,
    now: datetime,
    *writes: Write,
    line: HeldLine | None = None,
    by_mapping: bool = False,
    replaces: Collection[str] = (),
) -> Hold:
    """Holds what the refusal stops, and commits `writes` with the hold. Answers the hold that stands.

    `line`: the refusal is of this line alone. If there is a hold already, it stays, and there is no event; unless its
    reason is one of `replaces`, which say less. Raises `ConditionFailed` if one of `writes` fails, or if what it would
    hold, an account or a connection, has been deleted: nobody could release that.
    """
    hold = _new_hold(feed, refusal, now, ports.new_id()).but(by_mapping=by_mapping)
    if line is not None:
        hold = hold.but(line=line.number, transaction_id=line.transaction_id)
    if hold.scope is Scope.CONNECTION:
        # Only the customer can fix it: the connection is shown as ended, and asks for reconnection.
        connection = company_items.find_connection(ports.store, feed.company_id, feed.connection_id)
        writes = (*writes, *disconnection_writes(ports, connection, refusal.problem, company, now))
    if standing := hold_items.find_hold(ports.store, hold.scope, hold.subject):
        if standing.reason in replaces and not standing.releasing:
            ports.store.commit(*replacement_writes(ports, standing, hold, feed.waiting, company, now), *writes)
            return hold
        # Its own placement wakes the other feeds.
        return _join_standing(ports.store, standing, writes)
    _schedule_checks(ports, hold, feed.id, SAFETY_DELAY_SECONDS)
    waiting = count_waiting(ports.store, hold)
    event = hold_events.held(ports, hold, waiting.number if waiting.is_complete else None, company, now)
    try:
        ports.store.commit(*hold_items.add_hold(hold), put_event(event), *writes, *_subject_exists(feed, hold, writes))
    except Contended:
        raise
    except ConditionFailed as failed:
        if keys.hold(hold.scope, hold.subject) not in failed.keys:
            raise
        if not (standing := hold_items.find_hold(ports.store, hold.scope, hold.subject)):
            raise  # lifted in between: the caller has to decide again
        return _join_standing(ports.store, standing, writes)
    _wake_other_feeds(ports, feed.id, hold)
    if hold.reason in CONNECTION_ENDED_REASONS:
        _schedule_checks(ports, hold, feed.id, 0)
    return hold


def is_deleted(store: Store, feed: Feed, scope: Scope) -> bool:
    """Whether what a hold of this scope would stop has been deleted: the feed's account, or its connection."""
    key = _key_of_subject(feed, scope)
    return key is not None and store.table.get(key) is None


def replacement_writes(
    ports: Ports, standing: Hold, hold: Hold, waiting: int, company: Company, now: datetime
) -> list[Write]:
    """The hold takes the place of one that says less, which gets its event of release, with no lines released."""
    return [
        *hold_items.replace_hold(standing, hold),
        put_event(hold_events.released(ports, standing, 0, company, now)),
        put_event(hold_events.held(ports, hold, waiting, company, now)),
    ]


def hold_app(ports: Ports, refusal: Refusal, now: datetime) -> None:
    """Holds the app for a refusal that no feed has met yet. A hold that stands stays, and there is no event."""
    if hold_items.find_hold(ports.store, Scope.APP, APP_SUBJECT):
        return
    hold = Hold(
        id=ports.new_id(),
        scope=Scope.APP,
        subject=APP_SUBJECT,
        reason=refusal.reason,
        problem=refusal.problem,
        since=now,
    )
    ports.queues.follow_up(HoldCheck(feed_id=NO_FEED), SAFETY_DELAY_SECONDS)
    waiting = count_waiting(ports.store, hold)
    event = hold_events.held(ports, hold, waiting.number if waiting.is_complete else None, None, now)
    try:
        ports.store.commit(*hold_items.add_hold(hold), put_event(event))
    except ConditionFailed:
        return  # another has just placed it; or is about to, and the next refusal decides
    # In the background: a customer may be waiting for a page.
    ports.queues.follow_up(HoldCheck(feed_id=NO_FEED), 0)


def wake_others(ports: Ports, check: HoldCheck) -> None:
    """Wakes every other feed that a hold on this one also stops, so that their operations fail because of it.

    The invocation that placed the hold may have crashed before all were woken. For a hold of the app, wakes one page
    of feeds, after the connection `after`; a follow-up message continues. May be repeated.
    """
    feed = feed_items.find_feed(ports.store, check.feed_id) if check.feed_id != NO_FEED else None
    if feed is None and check.feed_id != NO_FEED:
        return
    subjects = feed.hold_subjects if feed else [(Scope.APP, APP_SUBJECT)]
    for hold in hold_items.holds_on(ports.store, subjects):
        if not check.after or hold.scope is Scope.APP:
            _wake_other_feeds(ports, check.feed_id, hold, check.after)


def fail_waiting(ports: Ports, feed: Feed, hold: Hold, company: Company, now: datetime) -> None:
    """Fails the feed's operations that the hold stops: all but those whose lines the upstream already has.

    Only while the hold stands: a release in between has started operations that must not fail. And on the feed as it is
    now: lines that waited when the caller read it may be with the upstream by now.
    """
    _fail_after(ports, feed.id, _sent_through, hold, company, now)


def fail_behind_flight(ports: Ports, feed_id: str, hold: Hold, company: Company, now: datetime) -> None:
    """Fails the operations that the hold stops behind the statement in flight: that one ends by itself."""
    _fail_after(ports, feed_id, _in_flight_through, hold, company, now)


def fail_ended_feed(ports: Ports, feed: Feed, problem: Problem, company: Company, now: datetime) -> None:
    """Fails the operations that wait in a feed that has ended: there is no hold to release."""
    push_operation_end.fail(ports, feed.id, _sent_through(feed), problem, company, now)


def _fail_after(
    ports: Ports, feed_id: str, sent_through: Callable[[Feed], int], hold: Hold, company: Company, now: datetime
) -> None:
    """Decides on the feed as it is now: the upstream may have received more since the caller read it."""
    for _ in attempts(f"feed {feed_id} and its hold"):
        feed = feed_items.find_feed(ports.store, feed_id)
        standing = hold_items.find_hold(ports.store, hold.scope, hold.subject)
        if feed is None or standing is None or standing.id != hold.id or standing.releasing:
            return
        if push_operation_end.fail(
            ports,
            feed_id,
            sent_through(feed),
            hold.problem,
            company,
            now,
            still_standing(hold),
            feed_items.feed_unchanged(feed),
        ):
            return


def _schedule_checks(ports: Ports, hold: Hold, feed_id: str, delay_seconds: int) -> None:
    """What follows the hold, in case we crash before we do it, or because another function has to: the other feeds
    are woken; and whether a feed connection has really ended, Xero is asked."""
    if hold.scope is not Scope.FEED:
        ports.queues.follow_up(HoldCheck(feed_id=feed_id), delay_seconds)
    elif hold.reason in CONNECTION_ENDED_REASONS:
        ports.queues.follow_up(FeedConnectionCheck(feed_id=feed_id), delay_seconds)


def _join_standing(store: Store, standing: Hold, writes: Sequence[Write]) -> Hold:
    if writes:
        store.commit(still_standing(standing), *writes)
    return standing


def _wake_other_feeds(ports: Ports, feed_id: str, hold: Hold, after: str = "") -> None:
    page = feed_page_in_scope(ports.store, hold.scope, hold.subject, after)
    for other in page.feeds:
        if other.id != feed_id and other.waiting:
            ports.queues.wake(other.id)
    if page.resume_after is not None:
        ports.queues.follow_up(HoldCheck(feed_id=feed_id, after=page.resume_after), 0)


def _subject_exists(feed: Feed, hold: Hold, writes: Sequence[Write]) -> list[Write]:
    """The condition of a new hold's commit that its subject is there, unless one of the writes has it already."""
    key = _key_of_subject(feed, hold.scope)
    return [] if key is None or key in {write.key for write in writes} else [Condition(key, EXISTS)]


def _key_of_subject(feed: Feed, scope: Scope) -> Key | None:
    """None for organisations and the app: nobody deletes those."""
    match scope:
        case Scope.FEED:
            return keys.source_account(feed.connection_id, feed.account_id)
        case Scope.CONNECTION:
            return keys.connection(feed.company_id, feed.connection_id)
        case _:
            return None


def _sent_through(feed: Feed) -> int:
    accepted_through = feed.flight.last if feed.flight and feed.flight.status is FlightStatus.PENDING else 0
    return max(accepted_through, feed.delivered_through)


def _in_flight_through(feed: Feed) -> int:
    return feed.flight.last if feed.flight else feed.delivered_through


def _new_hold(feed: Feed, refusal: Refusal, now: datetime, id: str) -> Hold:
    subject = {
        Scope.APP: feed.app_subject,
        Scope.TENANT: feed.tenant_id,
        Scope.CONNECTION: feed.connection_id,
        Scope.FEED: feed.id,
    }[refusal.scope]
    names_connection = refusal.scope is not Scope.APP
    return Hold(
        id=id,
        scope=refusal.scope,
        subject=subject,
        reason=refusal.reason,
        problem=refusal.problem,
        since=now,
        tenant_id=feed.tenant_id if names_connection else None,
        company_id=feed.company_id if names_connection else None,
        connection_id=feed.connection_id if names_connection else None,
        account_id=feed.account_id if refusal.scope is Scope.FEED else None,
    )
