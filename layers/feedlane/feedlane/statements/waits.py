"""Not-before times: what a rate limit or an outage asks to wait for, and when a feed is woken again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.store import keys
from feedlane.store.records import expiry
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Delete, Put, When

WAIT_RETENTION = timedelta(days=2)


def not_before(store: Store, subjects: Iterable[tuple[str, str]]) -> datetime | None:
    """The latest time before which one of these (scope, subject) asked not to be called."""
    found = store.table.get_many(keys.limit(scope, subject) for scope, subject in subjects)
    times = [datetime.fromisoformat(item["until"]) for item in found.values()]
    return max(times, default=None)


def planned_wake(store: Store, feed_id: str) -> datetime | None:
    """When the feed's next wake-up is due, if one was put on its way."""
    item = store.table.get(keys.wake(feed_id))
    return datetime.fromisoformat(item["at"]) if item else None


def plan_wake(store: Store, feed_id: str, at: datetime) -> None:
    """Notes a wake-up that is on its way. Unconditional: one too many does no harm."""
    pk, sk = keys.wake(feed_id)
    store.table.put_many([{"pk": pk, "sk": sk, "at": iso(at), "expires_at": expiry(at, WAIT_RETENTION)}])


def remove_planned_wake(store: Store, feed_id: str, at: str) -> None:
    """A wake-up planned for `at` is there: nobody counts on it any more, even where a clock says that it is early."""
    with suppress(ConditionFailed):  # another one is noted, which has yet to come
        store.commit(Delete(keys.wake(feed_id), When(equal={"at": at})))


def set_not_before(store: Store, scope: str, subject: str, until: datetime, now: datetime) -> None:
    """Keeps the latest of the times that came in."""
    pk, sk = keys.limit(scope, subject)
    item = {"pk": pk, "sk": sk, "until": iso(until), "expires_at": expiry(now, WAIT_RETENTION)}
    try:
        store.commit(Put(item, When(absent=True, before={"until": iso(until)})))
    except ConditionFailed:
        return  # a later time stands already
