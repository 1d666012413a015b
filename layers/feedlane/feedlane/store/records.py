"""Records as items and back. Writes are made here as plain data; `Store.commit` carries them out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

from feedlane.clock import epoch, iso
from feedlane.event import Event
from feedlane.record import Record
from feedlane.store import keys
from feedlane.store.table import ABSENT, Item, Key, Put, When

EVENTS_KEPT = timedelta(days=90)
R = TypeVar("R", bound=Record)


def item_of(key: Key, record: Record, **extra: Any) -> Item:
    return record.model_dump(mode="json") | {"pk": key[0], "sk": key[1]} | extra


def record_in(model: type[R], item: Item | None) -> R | None:
    return None if item is None else model.model_validate(item)


def created(key: Key, record: Record, **extra: Any) -> Put:
    """A write that fails if there is such an item already."""
    return Put(item_of(key, record, **extra), ABSENT)


def changed(key: Key, record: R, **extra: Any) -> Put:
    """A write of a versioned record as it was read: fails if somebody else has written it meanwhile."""
    read: int = record.version  # type: ignore[attr-defined]
    when = When(absent=True) if read == 0 else When(equal={"version": read})
    return Put(item_of(key, record.but(version=read + 1), **extra), when)


def emitted(event: Event) -> Put:
    """The event in the outbox, to be committed with the change that it tells of."""
    key = keys.event(event.subject, iso(event.time), event.id)
    return Put(item_of(key, event, expires_at=expiry(event.time, EVENTS_KEPT)))


def expiry(now: datetime, after: timedelta) -> int:
    """When DynamoDB may delete an item: the table's TTL attribute."""
    return epoch(now + after)
