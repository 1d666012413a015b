"""How a feed's open holes are kept: beside its head, which counts them, in the order of their pushes."""

from __future__ import annotations

from feedlane.clock import iso
from feedlane.feeds.hole import Hole
from feedlane.feeds.push_operation import PushOperation
from feedlane.store import keys
from feedlane.store.records import item_of, record_in
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, Delete, Key, Put


def add_hole(feed_id: str, hole: Hole) -> Put:
    return Put(item_of(_key(feed_id, hole), hole), ABSENT)


def put_hole(feed_id: str, hole: Hole) -> Put:
    """The hole, with what is still missing. For a commit that requires the feed as it was read."""
    return Put(item_of(_key(feed_id, hole), hole))


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


def _key(feed_id: str, hole: Hole) -> Key:
    return keys.hole(feed_id, f"{iso(hole.requested_on)}#{hole.operation_key}")
