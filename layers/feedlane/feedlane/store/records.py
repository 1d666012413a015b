"""Records as items and back. Writes are plain data; `Store.commit` carries them out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

from feedlane.clock import epoch
from feedlane.record import Record
from feedlane.store.table import ABSENT, Item, Key, Put, When

R = TypeVar("R", bound=Record)


def item_of(key: Key, record: Record, **extra: Any) -> Item:
    return record.model_dump(mode="json") | {"pk": key[0], "sk": key[1]} | extra


def record_in(model: type[R], item: Item | None) -> R | None:
    return None if item is None else model.model_validate(item)


def add_record(key: Key, record: Record, **extra: Any) -> Put:
    """A write that fails if the item exists."""
    return Put(item_of(key, record, **extra), ABSENT)


def put_record(key: Key, record: R, **extra: Any) -> Put:
    """A write of a versioned record that fails if another writer has written the item since it was read."""
    read_version: int = record.version  # type: ignore[attr-defined]
    when = When(absent=True) if read_version == 0 else When(equal={"version": read_version})
    return Put(item_of(key, record.but(version=read_version + 1), **extra), when)


def expiry(now: datetime, after: timedelta) -> int:
    """When DynamoDB may delete an item: the table's TTL attribute."""
    return epoch(now + after)
