"""Not-before times: what a rate limit or an outage asks to wait for, and when a feed is woken again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.store import keys
from feedlane.store.records import expiry
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Put, When

KEPT = timedelta(days=2)


def not_before(store: Store, subjects: Iterable[tuple[str, str]]) -> datetime | None:
    """The latest time before which one of these (scope, subject) asked not to be called."""
    found = store.table.get_many(keys.limit(scope, subject) for scope, subject in subjects)
    times = [datetime.fromisoformat(item["until"]) for item in found.values()]
    return max(times, default=None)


def put_not_before(store: Store, scope: str, subject: str, until: datetime, now: datetime) -> None:
    """Keeps the latest of the times that came in."""
    pk, sk = keys.limit(scope, subject)
    item = {"pk": pk, "sk": sk, "until": iso(until), "expires_at": expiry(now, KEPT)}
    try:
        store.commit(Put(item, When(absent=True, before={"until": iso(until)})))
    except ConditionFailed:
        return  # a later time stands already
