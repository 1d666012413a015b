"""A release of more feeds than fit into one commit: done in parts, and brought on by messages until it is finished.

The hold is marked first, and stands while its feeds' operations are started, so that nothing is sent and nothing fails
meanwhile. It is lifted, with its event, when all of them are; then they are woken. How far the release has come is kept
with the hold: whoever takes it up goes on there, and two at once do no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane import event_payloads, holding
from feedlane.errors import Conflict
from feedlane.feed import Feed
from feedlane.follow_ups import ReleaseCheck
from feedlane.going_on import company_of, operation_of, started, those_that_wait
from feedlane.hold import Hold, Scope
from feedlane.ids import NewId, derived_id
from feedlane.push_operation import PushOperation
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues
from feedlane.store import keys, ledger
from feedlane.store import push_operations as operation_items
from feedlane.store.attempts import attempts
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Condition, ConditionFailed, Contended, When, Write

# Each feed is three writes; a commit has at most a hundred.
FEEDS_AT_ONCE = 30


def release_in_parts(store: Store, queues: Queues, now: datetime, new_id: NewId, hold: Hold) -> list[PushOperation]:
    """Lifts the hold, whose release may have begun already, or brings its release on by a page of feeds.

    Answers the operations under which these go on. Raises `ConditionFailed` if the hold was lifted meanwhile.
    """
    _go_on_later(queues, hold, SAFETY_DELAY_SECONDS)
    if not hold.releasing:
        store.commit(store.mark_releasing(hold))
        hold = hold.but(releasing=True)
    return _go_on(store, queues, now, new_id, hold)


def resume(store: Store, queues: Queues, now: datetime, new_id: NewId, check: ReleaseCheck) -> None:
    """Brings a release on that was begun. May be done again, also when there is nothing left to do."""
    scope = Scope(check.scope)
    for hold in store.holds_on([(scope, check.subject)]):
        if hold.releasing:
            _go_on(store, queues, now, new_id, hold)
        return
    _wake(store, queues, scope, check.subject, check.after)


def _go_on(store: Store, queues: Queues, now: datetime, new_id: NewId, hold: Hold) -> list[PushOperation]:
    """The next page of feeds. Behind the last one the hold is lifted."""
    changing = Conflict("The feeds of this hold are changing at this moment; its release goes on by itself.")
    for attempt in attempts(f"the feeds under hold {hold.id}", otherwise=changing):
        page = holding.page_under(store, hold.scope, hold.subject, hold.release_after)
        feeds, companies = those_that_wait(store, page.feeds)
        released = hold.released + sum(feed.waiting for feed in feeds)
        if page.resume_after is not None:
            writes: list[Write] = [store.advance_release(hold, page.resume_after, released)]
        else:
            company = company_of(store, hold, companies)
            event = event_payloads.released(new_id(), hold, released, company, now)
            writes = [store.finish_release(hold), emitted(event)]
        with attempt:
            if _advanced(store, now, hold, feeds, writes):
                _after(store, queues, hold, is_lifted=page.resume_after is None)
            else:
                # Somebody else was first with this page, and may crash before it says so.
                _go_on_later(queues, hold, SAFETY_DELAY_SECONDS)
    return list(_existing(store, hold, feeds).values())


def _advanced(store: Store, now: datetime, hold: Hold, feeds: Sequence[Feed], writes: Sequence[Write]) -> bool:
    """False if the hold has moved. Raises `ConditionFailed` if a feed has."""
    try:
        _start(store, now, hold, feeds)
        store.commit(*writes)
    except ConditionFailed as failed:
        if isinstance(failed, Contended) or keys.hold(hold.scope, hold.subject) not in failed.keys:
            raise
        return False
    return True


def _after(store: Store, queues: Queues, hold: Hold, is_lifted: bool) -> None:
    if is_lifted:
        _wake(store, queues, hold.scope, hold.subject)
    else:
        _go_on_later(queues, hold, 0)


def _go_on_later(queues: Queues, hold: Hold, delay: int) -> None:
    queues.follow_up(ReleaseCheck(scope=hold.scope, subject=hold.subject), delay)


def _start(store: Store, now: datetime, hold: Hold, feeds: Sequence[Feed]) -> None:
    """The operations that are not started yet. Raises `ConditionFailed` if a feed has moved, or the hold is gone."""
    there = _existing(store, hold, feeds)
    left = [feed for feed in feeds if feed.id not in there]
    is_marked = Condition(keys.hold(hold.scope, hold.subject), When(equal={"id": hold.id, "releasing": True}))
    for at in range(0, len(left), FEEDS_AT_ONCE):
        writes: list[Write] = [is_marked]
        for feed in left[at : at + FEEDS_AT_ONCE]:
            writes += [ledger.unmoved(feed), *started(feed, operation_of(feed, now, _key(hold, feed)))]
        store.commit(*writes)


def _existing(store: Store, hold: Hold, feeds: Sequence[Feed]) -> dict[str, PushOperation]:
    """The operations that the release has started, by feed."""
    wanted = {keys.push_operation(feed.company_id, _key(hold, feed)): feed.id for feed in feeds}
    return {wanted[key]: found for key, found in operation_items.operations_at(store, wanted).items()}


def _key(hold: Hold, feed: Feed) -> str:
    """The same each time: an operation is started once, however often the release is begun."""
    return derived_id("release", hold.id, feed.id)


def _wake(store: Store, queues: Queues, scope: Scope, subject: str, after: str = "") -> None:
    """A page of the feeds that were released; a message goes on behind it."""
    page = holding.page_under(store, scope, subject, after)
    for feed in page.feeds:
        if feed.waiting:
            queues.wake(feed.id)
    if page.resume_after is not None:
        queues.follow_up(ReleaseCheck(scope=scope, subject=subject, after=page.resume_after), 0)
