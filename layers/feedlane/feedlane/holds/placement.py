"""Holds come about: the reason is written down once, with its event, and the operations it stops are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection_end import disconnection_writes
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_end
from feedlane.feeds.feed import Feed, FlightStatus
from feedlane.feeds.pages import FeedPage, feed_page
from feedlane.feeds.upstream import Refusal
from feedlane.follow_ups import HoldCheck
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.holds.items import still_standing
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Contended, Write


class WaitingCount(NamedTuple):
    """How many recorded transactions wait, and whether these are all: of an app with very many feeds, only some."""

    number: int
    is_complete: bool


def hold_feed(ports: Ports, feed: Feed, refusal: Refusal, company: Company, now: datetime, *also: Write) -> Hold:
    """Holds what the refusal stops, together with `also`. If it is held already, that hold stands, without an event.

    Raises `ConditionFailed` if one of `also` fails.
    """
    hold = _new_hold(feed, refusal, now, ports.new_id())
    if hold.scope is Scope.CONNECTION:
        # Only the customer can mend it: the connection is shown as ended, and asks for reconnection.
        connection = company_items.find_connection(ports.store, feed.company_id, feed.connection_id)
        also = (*also, *disconnection_writes(ports, connection, refusal.problem, company, now))
    if standing := hold_items.holds_on(ports.store, [(hold.scope, hold.subject)]):
        # Whoever made it tells the other feeds.
        return _join_standing(ports.store, standing[0], also)
    if hold.scope is not Scope.FEED:
        # For the case that we crash between the hold and waking the other feeds.
        ports.queues.follow_up(HoldCheck(feed_id=feed.id), SAFETY_DELAY_SECONDS)
    waiting = count_waiting(ports.store, hold)
    event = hold_events.held(ports, hold, waiting.number if waiting.is_complete else None, company, now)
    try:
        ports.store.commit(hold_items.add_hold(hold), put_event(event), *also)
    except Contended:
        raise
    except ConditionFailed as failed:
        if keys.hold(hold.scope, hold.subject) not in failed.keys:
            raise
        if not (standing := hold_items.holds_on(ports.store, [(hold.scope, hold.subject)])):
            raise  # lifted at this moment: whoever asked has to look again
        return _join_standing(ports.store, standing[0], also)
    _wake_page(ports, feed, hold)
    return hold


def holds_of_feed(store: Store, feed_id: str) -> list[Hold]:
    """The hold on this feed alone, if there is one; others may stop it too."""
    return hold_items.holds_on(store, [(Scope.FEED, feed_id)])


def _join_standing(store: Store, standing: Hold, also: Sequence[Write]) -> Hold:
    if also:
        store.commit(still_standing(standing), *also)
    return standing


def wake_others(ports: Ports, check: HoldCheck) -> None:
    """Wakes every other feed that a hold on this one stops too, so that its operations fail with it.

    Whoever held them may have crashed before all were woken. Of a hold of the app a page of feeds, behind the
    connection `after`; a message goes on behind it. May be done again.
    """
    feed = feed_items.find_feed(ports.store, check.feed_id)
    if feed is None:
        return
    for hold in hold_items.holds_on(ports.store, feed.hold_subjects):
        if not check.after or hold.scope is Scope.APP:
            _wake_page(ports, feed, hold, check.after)


def fail_waiting(ports: Ports, feed: Feed, hold: Hold, company: Company, now: datetime) -> None:
    """Fails the feed's operations that the hold stops: all but those whose lines the upstream already has.

    Only while it stands: a release that comes in between has started operations that go on. And only as the feed is
    now: what was waiting when it was read may be with the upstream since.
    """
    _fail_after(ports, feed.id, _sent_through, hold, company, now)


def fail_behind_flight(ports: Ports, feed_id: str, hold: Hold, company: Company, now: datetime) -> None:
    """Fails what the hold stops behind a statement that is being sent at this moment: that has its own end."""
    _fail_after(ports, feed_id, _in_flight_through, hold, company, now)


def _fail_after(
    ports: Ports, feed_id: str, sent_through: Callable[[Feed], int], hold: Hold, company: Company, now: datetime
) -> None:
    """Decided on the feed as it is: whoever saw it before may not know what the upstream has got meanwhile."""
    for _ in attempts(f"feed {feed_id} and what holds it"):
        feed = feed_items.find_feed(ports.store, feed_id)
        standing = hold_items.holds_on(ports.store, [(hold.scope, hold.subject)])
        if feed is None or not standing or standing[0].id != hold.id or standing[0].releasing:
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


def fail_ended_feed(ports: Ports, feed: Feed, problem: Problem, company: Company, now: datetime) -> None:
    """Fails what waits in a feed that has ended, for this reason: there is no hold that anybody could release."""
    push_operation_end.fail(ports, feed.id, _sent_through(feed), problem, company, now)


def _wake_page(ports: Ports, feed: Feed, hold: Hold, after: str = "") -> None:
    page = feed_page_in_scope(ports.store, hold.scope, hold.subject, after)
    for other in page.feeds:
        if other.id != feed.id and other.waiting:
            ports.queues.wake(other.id)
    if page.resume_after is not None:
        ports.queues.follow_up(HoldCheck(feed_id=feed.id, after=page.resume_after), 0)


def count_waiting(store: Store, hold: Hold) -> WaitingCount:
    page = feed_page_in_scope(store, hold.scope, hold.subject)
    return WaitingCount(sum(feed.waiting for feed in page.feeds), page.resume_after is None)


def feed_page_in_scope(store: Store, scope: Scope, subject: str, after: str = "") -> FeedPage:
    """The feed itself, all feeds of the connection or of the tenant, or the app's next ones behind `after`."""
    match scope:
        case Scope.FEED:
            return FeedPage(feed_items.find_feeds(store, [subject]))
        case Scope.CONNECTION:
            return FeedPage(feed_items.feeds_of_connection(store, subject))
        case Scope.TENANT:
            return FeedPage(feed_items.feeds_of_tenant(store, subject))
        case Scope.APP:
            return feed_page(store, after)


def _sent_through(feed: Feed) -> int:
    under_way = feed.flight.last if feed.flight and feed.flight.status is FlightStatus.PENDING else 0
    return max(under_way, feed.delivered_through)


def _in_flight_through(feed: Feed) -> int:
    return feed.flight.last if feed.flight else feed.delivered_through


def _new_hold(feed: Feed, refusal: Refusal, now: datetime, id: str) -> Hold:
    subject = {
        Scope.APP: APP_SUBJECT,
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
