"""How the attempts of a consumer's deliveries went in the last day, and the last of them. Kept in their commits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32

from feedlane.clock import iso
from feedlane.store import keys
from feedlane.store.records import expiry
from feedlane.store.store import Store
from feedlane.store.table import Add, Item
from feedlane.webhooks.delivery import Answer, Delivery

# A consumer has several deliveries at once, and two commits at once on one item are one too many.
SHARDS = 4
HOURS = 24
# Each hour has its own numbers, in a ring: an attempt drops those of the hours that its own would be taken for.
_RING = 2 * HOURS
_OK, _FAILED = "ok", "failed"
_RETENTION = timedelta(days=30)


@dataclass(frozen=True)
class LastAttempt:
    """`outcome` is a status, or the kind of error."""

    time: datetime
    event_type: str
    event_id: str
    outcome: str
    succeeded: bool


@dataclass(frozen=True)
class AttemptCounts:
    """Of the last 24 hours. `last` may be older."""

    succeeded: int = 0
    failed: int = 0
    last: LastAttempt | None = None

    @property
    def total(self) -> int:
        return self.succeeded + self.failed

    @property
    def percent(self) -> int:
        """How many succeeded, rounded down: 100 means all. 0 without an attempt."""
        return self.succeeded * 100 // self.total if self.total else 0


def count_attempt(delivery: Delivery, answer: Answer, now: datetime) -> Add:
    """The write that counts an attempt, for the commit that records it."""
    hour = _hour(now)
    name = _OK if answer.succeeded else _FAILED
    outdated = (f"{kind}{(hour + ahead) % _RING}" for ahead in range(1, HOURS + 1) for kind in (_OK, _FAILED))
    last = {
        "hour": hour,
        "time": iso(now),
        "event_type": delivery.event_type,
        "event_id": delivery.event_id,
        "outcome": str(answer.status or answer.error),
        "succeeded": answer.succeeded,
        "expires_at": expiry(now, _RETENTION),
    }
    key = keys.attempts_of(delivery.consumer_id, crc32(delivery.event_id.encode()) % SHARDS)
    return Add(key, f"{name}{hour % _RING}", 1, set=last, remove=tuple(outdated))


def attempt_counts(store: Store, consumer_ids: Iterable[str], now: datetime) -> dict[str, AttemptCounts]:
    """Of each of the consumers, from one read for 25 of them."""
    ids = list(consumer_ids)
    found = store.table.get_many(keys.attempts_of(id, shard) for id in ids for shard in range(SHARDS))
    return {
        id: _counts([found[key] for shard in range(SHARDS) if (key := keys.attempts_of(id, shard)) in found], now)
        for id in ids
    }


def _counts(shards: list[Item], now: datetime) -> AttemptCounts:
    newest = max(shards, key=lambda item: str(item["time"]), default=None)
    return AttemptCounts(
        sum(_in_last_day(item, _OK, now) for item in shards),
        sum(_in_last_day(item, _FAILED, now) for item in shards),
        _last_attempt(newest) if newest else None,
    )


def _in_last_day(item: Item, kind: str, now: datetime) -> int:
    """What the item counted in the hours of the last day. Those before its last attempt's day are dropped already."""
    last, hour = int(item["hour"]), _hour(now)
    hours = range(hour - HOURS + 1, min(last, hour) + 1)
    return sum(int(item.get(f"{kind}{one % _RING}", 0)) for one in hours)


def _last_attempt(item: Item) -> LastAttempt:
    return LastAttempt(
        datetime.fromisoformat(item["time"]), item["event_type"], item["event_id"], item["outcome"], item["succeeded"]
    )


def _hour(now: datetime) -> int:
    return int(now.timestamp()) // 3600
