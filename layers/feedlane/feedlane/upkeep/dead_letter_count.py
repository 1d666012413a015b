"""How many dead letters there are, as somebody counted them last: the watch does, and whoever looks at them."""

from __future__ import annotations

from datetime import datetime

from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.records import item_of
from feedlane.store.store import Store
from feedlane.store.table import Put


class DeadLetterCount(Record):
    """`since` is when the first of them was counted; None if there are none."""

    total: int = 0
    since: datetime | None = None


def last_count(store: Store) -> DeadLetterCount:
    return DeadLetterCount.model_validate(store.table.get(keys.DEAD_LETTER_COUNT) or {})


def note_count(store: Store, total: int, now: datetime) -> None:
    """Writes only what is new. Of two who count at once, the later one is believed: both may be right."""
    before = last_count(store)
    if total != before.total:
        since = (before.since or now) if total else None
        store.commit(Put(item_of(keys.DEAD_LETTER_COUNT, DeadLetterCount(total=total, since=since))))
