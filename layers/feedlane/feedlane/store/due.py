"""The due index: what somebody must come back for, by the time of the next look, so that no work depends on a message.

An item is listed while it has the index's keys. They are written with the change of the item itself, so that being
listed costs no write of its own, and being forgotten is not possible. Only the watch reads the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from heapq import merge
from itertools import islice
from zlib import crc32

from feedlane.clock import iso
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Add, Index, Item, Key, When

# One partition of an index takes 1,000 writes a second, and then slows the table down.
SHARDS = 4
# Times are rounded up to these, so that an item that changes often seldom changes its place in the list. The watch runs
# every ten minutes: what is to be looked at in five minutes is looked at within twenty.
ROUNDED_TO = timedelta(minutes=5)
LOOK_AFTER = timedelta(minutes=5)
# How late a message may be before it counts as lost.
LATE_AFTER = timedelta(minutes=5)
# Whoever is rung and does not come has his message on the queue, as a rule: he is rung less and less often.
RING_INTERVAL_MAX = timedelta(hours=1)
_LOOK, _RINGS = "look", "rings"
_DOUBLINGS_MAX = 10


class Kind(StrEnum):
    """What is listed, each kind by itself: many of one kind do not delay the others."""

    FEED = "FEED"
    PUSH = "PUSH"
    HOLD = "HOLD"
    ACCOUNT = "ACCOUNT"
    CONNECTION = "CONNECTION"
    LINK_START = "LINK_START"
    EVENT = "EVENT"
    DELIVERY = "DELIVERY"
    PLACE = "PLACE"
    GRANT = "GRANT"


@dataclass(frozen=True)
class Look:
    """What a look at an overdue item came to: whether somebody was rung, and when to look again.

    None: nobody need come back, and the item leaves the list.
    """

    rung: bool = False
    again: datetime | None = None


NOTHING_LEFT = Look()


def due_keys(kind: Kind, id: str, at: datetime | None) -> dict[str, str]:
    """The attributes that list an item of this kind for a look at that time; none if nobody need come back."""
    if at is None:
        return {}
    pk, sk = Index.DUE.keys
    return {pk: keys.due(kind, crc32(id.encode()) % SHARDS), sk: iso(rounded_up(at))}


def rounded_up(at: datetime) -> datetime:
    """The first full five minutes that are not before this time."""
    start = datetime.min.replace(tzinfo=UTC)
    return start - (start - at.astimezone(UTC)) // ROUNDED_TO * ROUNDED_TO


def next_look(now: datetime) -> datetime:
    """When to look at what has just moved on."""
    return rounded_up(now + LOOK_AFTER)


def next_ring(item: Item, now: datetime) -> datetime:
    """When to look at what is rung now: each ring in a row doubles the time to the next, up to an hour.

    Whoever writes the item begins anew.
    """
    doubled = LOOK_AFTER * 2 ** min(int(item.get(_RINGS, 0)), _DOUBLINGS_MAX)
    return rounded_up(now + min(RING_INTERVAL_MAX, doubled))


def overdue(store: Store, kind: Kind, now: datetime, limit: int) -> list[Key]:
    """The keys of up to `limit` items of this kind whose time has come, the longest overdue first.

    The list may lag: an item may have moved on, or may be gone.
    """
    shards = (_shard(store, keys.due(kind, shard), now, limit) for shard in range(SHARDS))
    listed = merge(*shards, key=lambda item: item[Index.DUE.keys[1]])
    return [(item["pk"], item["sk"]) for item in islice(listed, limit)]


def is_overdue(item: Item, now: datetime) -> bool:
    """By the item itself."""
    at: str | None = item.get(Index.DUE.keys[1])
    return at is not None and at <= iso(now)


def after_look(item: Item, look: Look) -> Add:
    """The write that records a look: the item stays listed for its next one, or leaves the list.

    It fails if the item has been written since it was read: whoever did that has decided anew. It is not a new version
    of the item, so that it makes no other commit fail.
    """
    key, sk = (item["pk"], item["sk"]), Index.DUE.keys[1]
    unchanged = When(equal={name: item[name] for name in (sk, "version") if name in item})
    if look.again is None:
        return Add(key, "looks", 1, when=unchanged, remove=(*Index.DUE.keys, _LOOK))
    at = iso(rounded_up(look.again))
    rings = int(item.get(_RINGS, 0)) + 1 if look.rung else 0
    return Add(key, "looks", 1, set={sk: at, _LOOK: at, _RINGS: rings}, when=unchanged)


def _shard(store: Store, pk: str, now: datetime, limit: int) -> Iterable[Item]:
    return store.table.query(pk, end=iso(now), limit=limit, index=Index.DUE)
