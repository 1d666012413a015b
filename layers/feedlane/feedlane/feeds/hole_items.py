"""How a feed's open holes are kept: beside its head, which counts them, in the order of their pushes.

Those of all feeds are listed too, for whoever is to mend them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from feedlane.clock import iso
from feedlane.feeds.hole import Hole
from feedlane.feeds.push_operation import PushOperation
from feedlane.store import keys
from feedlane.store.records import item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, Delete, Index, Item, Key, Put


def add_hole(feed_id: str, hole: Hole) -> Put:
    return Put(_item(feed_id, hole), ABSENT)


def put_hole(feed_id: str, hole: Hole) -> Put:
    """The hole, with what is still missing. For a commit that requires the feed as it was read."""
    return Put(_item(feed_id, hole))


def remove_hole(feed_id: str, hole: Hole) -> Delete:
    """For a commit that requires the feed as it was read."""
    return Delete(_key(feed_id, hole))


def find_hole(store: Store, operation: PushOperation) -> Hole | None:
    """The open hole that this push left, if it did."""
    place = f"{iso(operation.requested_on)}#{operation.key}"
    return record_in(Hole, store.table.get(keys.hole(operation.feed_id, place)))


def holes(store: Store, feed_id: str, limit: int, after: str = "") -> list[tuple[str, Hole]]:
    """Up to `limit` open holes with their places, the oldest first, from behind the place `after` on."""
    partition, start = keys.hole(feed_id, f"{after}!" if after else "")
    items = store.table.query(partition, start=start, end="HOLE#~", limit=limit)
    return [(item["sk"].removeprefix("HOLE#"), Hole.model_validate(item)) for item in items]


def feeds_with_holes(store: Store, limit: int) -> tuple[Mapping[str, datetime], bool]:
    """The feeds that have an open hole, each with the time of its first one; the latest hole's first.

    From the newest `limit` holes; and whether there may be more. One feed can have all of these. The list is slightly
    behind the table.
    """
    found, read = dict[str, datetime](), 0
    for item in store.table.query(keys.HOLES, reverse=True, limit=limit, index=Index.LISTS):
        moment, _, feed_id = item[Index.LISTS.keys[1]].partition("#")
        found[feed_id] = datetime.fromisoformat(moment)
        read += 1
    return found, read == limit


def _item(feed_id: str, hole: Hole) -> Item:
    listed = dict(zip(Index.LISTS.keys, (keys.HOLES, f"{iso(hole.requested_on)}#{feed_id}"), strict=True))
    return item_of(_key(feed_id, hole), hole, **listed)


def _key(feed_id: str, hole: Hole) -> Key:
    return keys.hole(feed_id, f"{iso(hole.requested_on)}#{hole.operation_key}")
