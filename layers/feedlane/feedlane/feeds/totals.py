"""What all feeds together have waiting, and what was delivered each day. Kept in the commits that change it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from feedlane.clock import epoch
from feedlane.feeds.feed import Feed
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Add, Write

# Two commits at once on one item are one too many: feeds share several.
SHARDS = 8
# A page reads those of each day.
DAY_SHARDS = 4
DAYS_KEPT = 60
_WAITING, _LINES, _STATEMENTS = "waiting", "lines", "statements"


@dataclass(frozen=True)
class Delivered:
    """`day` is a date of UTC, such as `2026-05-20`."""

    day: str
    statements: int
    transactions: int


def waiting_change(before: Feed, after: Feed) -> list[Write]:
    """The write that counts the transactions which a commit adds to those that wait, or takes from them."""
    difference = after.waiting - before.waiting
    return [Add(keys.waiting_total(_shard(after)), _WAITING, difference)] if difference else []


def delivery_writes(before: Feed, after: Feed, now: datetime) -> list[Write]:
    """The same for the commit that records a delivered statement, which also counts for its day."""
    transactions = max(0, before.waiting - after.waiting)
    day = Add(
        keys.delivered_total(now.date().isoformat(), _shard(after) % DAY_SHARDS),
        _LINES,
        transactions,
        also={_STATEMENTS: 1},
        set={"expires_at": epoch(now + timedelta(days=DAYS_KEPT))},
    )
    return [day, *waiting_change(before, after)]


def waiting_transactions(store: Store) -> int:
    """How many transactions wait in all feeds, from one read."""
    items = store.table.get_many(keys.waiting_total(shard) for shard in range(SHARDS)).values()
    return max(0, sum(int(item.get(_WAITING, 0)) for item in items))


def delivered_by_day(store: Store, now: datetime, days: int) -> list[Delivered]:
    """The latest days, today (UTC) at the end, from one query of at most `days` times `DAY_SHARDS` small items."""
    dates = [(now - timedelta(days=ago)).date().isoformat() for ago in reversed(range(days))]
    pk, first = keys.delivered_total(dates[0], 0)
    _, last = keys.delivered_total(dates[-1], DAY_SHARDS)
    sums: Mapping[str, Counter[str]] = {date: Counter() for date in dates}
    for item in store.table.query(pk, start=first, end=last):
        day = keys.day_of_delivered_total((item["pk"], item["sk"]))
        if day in sums:
            sums[day].update({name: item.get(name, 0) for name in (_LINES, _STATEMENTS)})
    return [Delivered(date, sums[date][_STATEMENTS], sums[date][_LINES]) for date in dates]


def _shard(feed: Feed) -> int:
    return crc32(feed.id.encode()) % SHARDS
