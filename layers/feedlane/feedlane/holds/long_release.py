"""A release of more feeds than fit into one commit: done in parts, and brought on by messages until it is finished.

The hold is marked first, and stands while its feeds' operations are started, so that nothing is sent and nothing fails
meanwhile. It is lifted, with its event, when all of them are; then they are woken. How far the release has come is kept
with the hold: whoever takes it up goes on there, and two at once do no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.errors import Conflict
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items as operation_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.push_operation import PushOperation
from feedlane.follow_ups import ReleaseCheck
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds.hold import Hold
from feedlane.holds.release_operations import company_of, feeds_with_waiting_lines, operation_writes, release_operation
from feedlane.ids import derived_id
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import Condition, ConditionFailed, Contended, When, Write

# Each feed is three writes; a commit has at most a hundred.
FEEDS_PER_COMMIT_MAX = 30


def release_in_parts(ports: Ports, now: datetime, hold: Hold) -> list[PushOperation]:
    """Lifts the hold, whose release may have begun already, or brings its release on by a page of feeds.

    Answers the operations under which these go on. Raises `ConditionFailed` if the hold was lifted meanwhile.
    """
    _schedule_advance(ports.queues, hold, SAFETY_DELAY_SECONDS)
    if not hold.releasing:
        ports.store.commit(hold_items.mark_releasing(hold))
        hold = hold.but(releasing=True)
    return _advance(ports, now, hold)


def resume(ports: Ports, now: datetime, check: ReleaseCheck) -> None:
    """Brings a release on that was begun. May be done again, also when there is nothing left to do."""
    scope = Scope(check.scope)
    for hold in hold_items.holds_on(ports.store, [(scope, check.subject)]):
        if hold.releasing:
            _advance(ports, now, hold)
        return
    _wake_feeds(ports, scope, check.subject, check.after)


def _advance(ports: Ports, now: datetime, hold: Hold) -> list[PushOperation]:
    """The next page of feeds. Behind the last one the hold is lifted."""
    changing = Conflict("The feeds of this hold are changing at this moment; its release goes on by itself.")
    for attempt in attempts(f"the feeds under hold {hold.id}", otherwise=changing):
        page = placement.feed_page_in_scope(ports.store, hold.scope, hold.subject, hold.release_after)
        feeds, companies = feeds_with_waiting_lines(ports.store, page.feeds)
        released = hold.released + sum(feed.waiting for feed in feeds)
        if page.resume_after is not None:
            writes: list[Write] = [hold_items.advance_release(hold, page.resume_after, released)]
        else:
            company = company_of(ports.store, hold, companies)
            event = hold_events.released(ports, hold, released, company, now)
            writes = [hold_items.finish_release(hold), put_event(event)]
        with attempt:
            if _advanced(ports.store, now, hold, feeds, writes):
                _follow_up(ports, hold, is_lifted=page.resume_after is None)
            else:
                # Somebody else was first with this page, and may crash before it says so.
                _schedule_advance(ports.queues, hold, SAFETY_DELAY_SECONDS)
    return list(_started_operations(ports.store, hold, feeds).values())


def _advanced(store: Store, now: datetime, hold: Hold, feeds: Sequence[Feed], writes: Sequence[Write]) -> bool:
    """False if the hold has moved. Raises `ConditionFailed` if a feed has."""
    try:
        _start_operations(store, now, hold, feeds)
        store.commit(*writes)
    except ConditionFailed as failed:
        if isinstance(failed, Contended) or keys.hold(hold.scope, hold.subject) not in failed.keys:
            raise
        return False
    return True


def _follow_up(ports: Ports, hold: Hold, is_lifted: bool) -> None:
    if is_lifted:
        _wake_feeds(ports, hold.scope, hold.subject)
    else:
        _schedule_advance(ports.queues, hold, 0)


def _schedule_advance(queues: Queues, hold: Hold, delay: int) -> None:
    queues.follow_up(ReleaseCheck(scope=hold.scope, subject=hold.subject), delay)


def _start_operations(store: Store, now: datetime, hold: Hold, feeds: Sequence[Feed]) -> None:
    """The operations that are not started yet. Raises `ConditionFailed` if a feed has moved, or the hold is gone."""
    there = _started_operations(store, hold, feeds)
    left = [feed for feed in feeds if feed.id not in there]
    is_marked = Condition(keys.hold(hold.scope, hold.subject), When(equal={"id": hold.id, "releasing": True}))
    for at in range(0, len(left), FEEDS_PER_COMMIT_MAX):
        writes: list[Write] = [is_marked]
        for feed in left[at : at + FEEDS_PER_COMMIT_MAX]:
            writes += [
                feed_items.feed_unchanged(feed),
                *operation_writes(feed, release_operation(feed, now, _operation_key(hold, feed))),
            ]
        store.commit(*writes)


def _started_operations(store: Store, hold: Hold, feeds: Sequence[Feed]) -> dict[str, PushOperation]:
    """The operations that the release has started, by feed."""
    wanted = {keys.push_operation(feed.company_id, _operation_key(hold, feed)): feed.id for feed in feeds}
    return {wanted[key]: found for key, found in operation_items.operations_by_key(store, wanted).items()}


def _operation_key(hold: Hold, feed: Feed) -> str:
    """The same each time: an operation is started once, however often the release is begun."""
    return derived_id("release", hold.id, feed.id)


def _wake_feeds(ports: Ports, scope: Scope, subject: str, after: str = "") -> None:
    """A page of the feeds that were released; a message goes on behind it."""
    page = placement.feed_page_in_scope(ports.store, scope, subject, after)
    for feed in page.feeds:
        if feed.waiting:
            ports.queues.wake(feed.id)
    if page.resume_after is not None:
        ports.queues.follow_up(ReleaseCheck(scope=scope, subject=subject, after=page.resume_after), 0)
