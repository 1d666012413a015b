"""Releasing a hold of more feeds than fit into one commit, in several. A follow-up message resumes it after each page.

Only an app's feeds have several pages; those of a tenant or a connection are one.

The hold is marked first, and stands while its feeds' operations are started, so that until then nothing is sent and
nothing fails. When all of them are started it is lifted, with its event; then the feeds are woken. The hold records how
far its release has come: any invocation can resume it there, and two at once do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from feedlane.errors import Conflict
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items as operation_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.push_operation import PushOperation
from feedlane.follow_ups import FeedConnectionCheck, ReleaseCheck
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds.held_feeds import feed_page_in_scope
from feedlane.holds.history import add_release
from feedlane.holds.hold import Hold
from feedlane.holds.release_operations import company_of, feeds_with_waiting_lines, operation_writes, release_operation
from feedlane.ids import derived_id
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.due import NOTHING_LEFT, Look, next_look, next_ring
from feedlane.store.store import Store
from feedlane.store.table import Condition, ConditionFailed, Contended, Item, When, Write

# Each feed is three writes; a commit has at most a hundred.
FEEDS_PER_COMMIT_MAX = 30


def release_in_parts(ports: Ports, now: datetime, hold: Hold) -> list[PushOperation]:
    """Begins the release of the hold, or resumes it, with one page of feeds.

    Answers the operations under which these send. Raises `ConditionFailed` if the hold was lifted in between.
    """
    _schedule_advance(ports.queues, hold, SAFETY_DELAY_SECONDS)
    if not hold.releasing:
        ports.store.commit(hold_items.mark_releasing(hold, now))
        hold = hold.but(releasing=True)
    return _advance(ports, now, hold)


def resume(ports: Ports, now: datetime, check: ReleaseCheck) -> None:
    """Resumes a release that has begun; wakes the feeds once the hold is lifted. May be repeated, even at its end."""
    scope = Scope(check.scope)
    hold = hold_items.find_hold(ports.store, scope, check.subject)
    if hold is None:
        _wake_feeds(ports, scope, check.subject, check.after)
    elif hold.releasing:
        _advance(ports, now, hold)


def connect_awaiting(queues: Queues, feeds: Iterable[Feed], delay_seconds: int = 0, once: bool = False) -> None:
    """Has those feed connections made that Xero has refused so far: also where nothing waits.

    `once`: the caller comes again, and each time would add a check that asks until the feed connection is there.
    """
    for feed in feeds:
        if feed.awaits_connection:
            queues.follow_up(FeedConnectionCheck(feed_id=feed.id, once=once), delay_seconds)


def look(ports: Ports, now: datetime, item: Item) -> Look:
    """Resumes a release that has not come on."""
    hold = Hold.model_validate(item)
    if not hold.releasing:
        return NOTHING_LEFT
    _schedule_advance(ports.queues, hold, 0)
    return Look(rung=True, again=next_ring(item, now))


def _advance(ports: Ports, now: datetime, hold: Hold) -> list[PushOperation]:
    """Starts the operations of the next page of feeds. After the last page the hold is lifted."""
    changing = Conflict("The feeds of this hold are changing right now; its release continues automatically.")
    for attempt in attempts(f"the feeds under hold {hold.id}", otherwise=changing):
        page = feed_page_in_scope(ports.store, hold.scope, hold.subject, hold.release_after)
        feeds, companies = feeds_with_waiting_lines(ports.store, page.feeds)
        released = hold.released + sum(feed.waiting for feed in feeds)
        if page.resume_after is not None:
            writes: list[Write] = [hold_items.advance_release(hold, page.resume_after, released, now)]
        else:
            company = company_of(ports.store, hold, companies)
            event = hold_events.released(ports, hold, released, company, now)
            history = add_release(ports.store, hold, now, hold.released_by, released, (), has_more=True)
            writes = [*hold_items.finish_release(hold), put_event(event), history]
        with attempt:
            if _commit_page(ports.store, now, hold, feeds, writes):
                _follow_up(ports, hold, is_lifted=page.resume_after is None)
            else:
                # Another invocation has committed this page, and may crash before it schedules the next one.
                _schedule_advance(ports.queues, hold, SAFETY_DELAY_SECONDS)
    return list(_started_operations(ports.store, hold, feeds).values())


def _commit_page(store: Store, now: datetime, hold: Hold, feeds: Sequence[Feed], writes: Sequence[Write]) -> bool:
    """False if the hold has changed. Raises `ConditionFailed` if a feed has."""
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


def _schedule_advance(queues: Queues, hold: Hold, delay_seconds: int) -> None:
    queues.follow_up(ReleaseCheck(scope=hold.scope, subject=hold.subject), delay_seconds)


def _start_operations(store: Store, now: datetime, hold: Hold, feeds: Sequence[Feed]) -> None:
    """Starts the missing operations. Raises `ConditionFailed` if a feed has changed, or the hold is gone."""
    started = _started_operations(store, hold, feeds)
    remaining = [feed for feed in feeds if feed.id not in started]
    still_releasing = Condition(keys.hold(hold.scope, hold.subject), When(equal={"id": hold.id, "releasing": True}))
    for start in range(0, len(remaining), FEEDS_PER_COMMIT_MAX):
        writes: list[Write] = [still_releasing]
        for feed in remaining[start : start + FEEDS_PER_COMMIT_MAX]:
            writes += [
                feed_items.put_feed(feed.but(look=next_look(now))),
                *operation_writes(feed, release_operation(feed, now, _operation_key(hold, feed))),
            ]
        store.commit(*writes)


def _started_operations(store: Store, hold: Hold, feeds: Sequence[Feed]) -> dict[str, PushOperation]:
    """The operations that the release has started, by feed."""
    feed_ids = {keys.push_operation(feed.company_id, _operation_key(hold, feed)): feed.id for feed in feeds}
    operations = operation_items.operations_by_key(store, feed_ids)
    return {feed_ids[key]: operation for key, operation in operations.items()}


def _operation_key(hold: Hold, feed: Feed) -> str:
    """Always the same: an operation is started once, however often the release is resumed."""
    return derived_id("release", hold.id, feed.id)


def _wake_feeds(ports: Ports, scope: Scope, subject: str, after: str = "") -> None:
    """Wakes a page of the released feeds; a follow-up message continues after it."""
    page = feed_page_in_scope(ports.store, scope, subject, after)
    for feed in page.feeds:
        if feed.waiting:
            ports.queues.wake(feed.id)
    connect_awaiting(ports.queues, page.feeds)
    if page.resume_after is not None:
        ports.queues.follow_up(ReleaseCheck(scope=scope, subject=subject, after=page.resume_after), 0)
