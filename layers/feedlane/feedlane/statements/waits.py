"""Not-before times: waits that a rate limit or an outage asks for, waits for a slot, and a feed's next wake-up."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import TryLater
from feedlane.follow_ups import Wake
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX
from feedlane.scope import Scope
from feedlane.statements.limits import Lane
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.records import expiry
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Contended, Delete, Key, Put, When

WAIT_RETENTION = timedelta(days=2)


def wait_keys(feed: Feed, lane: Lane) -> list[Key]:
    """Where the waits of the feed's next call are: the upstream's, and its own until its slot."""
    subjects = [(Scope.APP, feed.app_subject), (Scope.TENANT, feed.tenant_id)]
    if lane is Lane.POSTS:
        subjects.append((Scope.FEED, feed.id))
    return [*(keys.not_before(*subject) for subject in subjects), keys.slot(feed.id, lane.name)]


def not_before(store: Store, waits: Iterable[Key]) -> datetime | None:
    """The latest end of these waits; None if there is none."""
    items = store.table.get_many(waits)
    times = [datetime.fromisoformat(item["until"]) for item in items.values()]
    return max(times, default=None)


def growing(answer: TryLater, outages: int) -> TryLater:
    """The answer with the wait after so many answers of an outage: doubled with each, and at most 15 minutes.

    An outage of a day then costs about a hundred calls for each feed that waits, and its end is noticed in time.
    """
    if not answer.is_outage:
        return answer
    return answer.but(seconds=max(answer.seconds, min(DELAY_SECONDS_MAX, 2 ** min(outages, 10))))


def record_wait(store: Store, feed: Feed, answer: TryLater, now: datetime) -> datetime:
    """Records the wait that the upstream asks for: of the app, the tenant or the feed. Returns its end."""
    until = now + timedelta(seconds=answer.seconds)
    subject = {Scope.APP: feed.app_subject, Scope.TENANT: feed.tenant_id}.get(answer.scope, feed.id)
    set_not_before(store, answer.scope, subject, until, now)
    return until


def set_not_before(store: Store, scope: str, subject: str, until: datetime, now: datetime) -> None:
    """Keeps the latest of all times recorded."""
    pk, sk = keys.not_before(scope, subject)
    item = {"pk": pk, "sk": sk, "until": iso(until), "expires_at": expiry(max(now, until), WAIT_RETENTION)}
    for attempt in attempts(f"the wait of {subject}"):
        with attempt:
            try:
                store.commit(Put(item, When(absent=True, before={"until": iso(until)})))
            except Contended:
                raise
            except ConditionFailed:
                return  # a later time is recorded already


def schedule_wake(ports: Ports, feed: Feed, until: datetime) -> None:
    """Wakes the feed at that time with a delayed message; a distant time takes several, one after the other.

    A feed has one such chain of messages, however often this is called.
    """
    now = ports.clock()
    delay = max(1, min(DELAY_SECONDS_MAX, int((until - now).total_seconds()) + 1))
    due, planned = now + timedelta(seconds=delay), planned_wake(ports.store, feed.id)
    if planned is not None and now < planned <= due:
        return
    ports.queues.follow_up(Wake(feed_id=feed.id, at=iso(due)), delay)
    _plan_wake(ports.store, feed.id, due)


def remove_planned_wake(store: Store, feed_id: str, at: str) -> None:
    """The wake-up planned for `at` has arrived: it no longer counts as planned, even if a clock says it is early."""
    with suppress(ConditionFailed):  # another wake-up is planned, which is still to come
        store.commit(Delete(keys.wake(feed_id), When(equal={"at": at})))


def planned_wake(store: Store, feed_id: str) -> datetime | None:
    """When a delayed message wakes the feed; None if there is no such message."""
    item = store.table.get(keys.wake(feed_id))
    return datetime.fromisoformat(item["at"]) if item else None


def _plan_wake(store: Store, feed_id: str, at: datetime) -> None:
    """Unconditional: one wake-up too many does no harm."""
    pk, sk = keys.wake(feed_id)
    store.table.put_many([{"pk": pk, "sk": sk, "at": iso(at), "expires_at": expiry(at, WAIT_RETENTION)}])
