"""A release of more feeds than fit into one commit: done in parts, and finished by a message if it stops half-way.

The hold is marked first, and stands while its feeds' operations are started, so that nothing is sent and nothing fails
meanwhile. It is lifted, with its event, when all of them are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane import event_payloads, holding
from feedlane.errors import Conflict
from feedlane.feed import Feed
from feedlane.going_on import company_of, operation_of, started, waiting_feeds
from feedlane.hold import Hold, Scope
from feedlane.ids import NewId, derived_id
from feedlane.push_operation import PushOperation
from feedlane.queues import Check, Queues
from feedlane.store import keys, ledger
from feedlane.store import push_operations as operation_items
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import Check as Condition
from feedlane.store.table import ConditionFailed, Contended, When, Write

# Each feed is three writes; a commit has at most a hundred.
FEEDS_AT_ONCE = 30
# Somebody looks whether the release has come to its end.
SAFETY_DELAY = 20
_TRIES = 10


def release_in_parts(store: Store, queues: Queues, now: datetime, new_id: NewId, hold: Hold) -> list[PushOperation]:
    """Lifts the hold, whose release may have begun already. Answers the operations under which its feeds go on.

    Raises `ConditionFailed` if the hold was lifted or changed meanwhile.
    """
    queues.check(Check(kind="release", feed_id="", scope=hold.scope, subject=hold.subject), SAFETY_DELAY)
    if not hold.releasing:
        store.commit(store.mark_releasing(hold))
    return _finish(store, queues, now, new_id, hold)


def resume(store: Store, queues: Queues, now: datetime, new_id: NewId, scope: Scope, subject: str) -> None:
    """Finishes a release that was begun. May be done again, also when there is nothing left to do."""
    for hold in store.holds_on([(scope, subject)]):
        if hold.releasing:
            _finish(store, queues, now, new_id, hold)
        return
    _wake(store, queues, scope, subject)


def _finish(store: Store, queues: Queues, now: datetime, new_id: NewId, hold: Hold) -> list[PushOperation]:
    for _ in range(_TRIES):
        feeds, companies = waiting_feeds(store, hold)
        company = company_of(store, hold, companies)
        waiting = sum(feed.waiting for feed in feeds)
        event = event_payloads.released(new_id(), hold, waiting, company, now)
        try:
            _start(store, now, hold, feeds)
            store.commit(store.remove_hold(hold), emitted(event))
        except Contended:
            continue
        except ConditionFailed as failed:
            if keys.hold(hold.scope, hold.subject) not in failed.keys:
                continue  # a feed has moved meanwhile
            # Somebody else, who goes on where we began, was first.
        _wake(store, queues, hold.scope, hold.subject)
        return list(_existing(store, hold, feeds).values())
    raise Conflict("The feeds of this hold are changing at this moment; its release goes on by itself.")


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


def _wake(store: Store, queues: Queues, scope: Scope, subject: str) -> None:
    for feed in holding.feeds_under(store, scope, subject):
        if feed.waiting:
            queues.wake(feed.id)
