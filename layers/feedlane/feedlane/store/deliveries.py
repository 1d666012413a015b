"""Deliveries in the table, and the pauses of their consumers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.consumer import Consumer
from feedlane.delivery import Delivery
from feedlane.event import Event
from feedlane.pause import Pause
from feedlane.store import keys
from feedlane.store.records import changed, expiry, record_in
from feedlane.store.store import Store
from feedlane.store.table import Condition, Key, Put, When

KEPT = timedelta(days=30)
PAUSE_KEPT = timedelta(days=2)
PAGE = 100
_MOST_READ = 2_000


@dataclass(frozen=True)
class Found:
    """What decides about an attempt, read in one request."""

    delivery: Delivery | None
    consumer: Consumer | None
    pause: Pause | None


def find(store: Store, consumer_id: str, event_id: str) -> Found:
    delivery, consumer, pause = _keys(consumer_id, event_id)
    found = store.table.get_many([delivery, consumer, pause])
    return Found(
        record_in(Delivery, found.get(delivery)),
        record_in(Consumer, found.get(consumer)),
        record_in(Pause, found.get(pause)),
    )


def event_of(store: Store, delivery: Delivery) -> Event | None:
    """The event as the outbox has it. None: it is past its days."""
    key = keys.event(delivery.event_subject, iso(delivery.event_time), delivery.event_id)
    return record_in(Event, store.table.get(key))


def put_delivery(delivery: Delivery, now: datetime) -> Put:
    """Fails if somebody else has written it since it was read (or, if it is new, if there is one)."""
    listed = {
        "gsi1pk": keys.deliveries(delivery.consumer_id),
        "gsi1sk": f"{iso(delivery.event_time)}#{delivery.event_id}",
    }
    key = keys.delivery(delivery.consumer_id, delivery.event_id)
    return changed(key, delivery, expires_at=expiry(now, KEPT), **listed)


def put_pause(pause: Pause, now: datetime) -> Put:
    return changed(pause_key(pause.consumer_id), pause, expires_at=expiry(now, PAUSE_KEPT))


def pause_key(consumer_id: str) -> Key:
    return keys.limit("consumer", consumer_id)


def unchanged(consumer: Consumer) -> Condition:
    """Fails if the consumer was changed since it was read: enabled, for one."""
    return Condition(keys.consumer(consumer.id), When(equal={"version": consumer.version}))


def existing(store: Store, deliveries: Sequence[Delivery]) -> dict[str, Delivery]:
    """Those of them that are in the table already, as they are there, by consumer."""
    wanted = [keys.delivery(delivery.consumer_id, delivery.event_id) for delivery in deliveries]
    found = map(Delivery.model_validate, store.table.get_many(wanted).values())
    return {delivery.consumer_id: delivery for delivery in found}


def page(
    store: Store,
    consumer_id: str,
    since: datetime | None,
    until: datetime | None,
    after: str,
    size: int,
    newest_first: bool = False,
) -> list[tuple[str, Delivery]]:
    """Deliveries in the order of their events, each with its place in the list, from the one after a place on.

    The list is a moment behind the table.
    """
    # Places are `time#event`: a space sorts after nothing, and "~" after every id.
    start, end = iso(since) if since else "", f"{iso(until)}~" if until else "~"
    if after:
        start, end = (start, after) if newest_first else (f"{after} ", end)
    if start > end:
        return []
    items = store.table.query(
        keys.deliveries(consumer_id), start=start or " ", end=end, reverse=newest_first, limit=size + 1, index=True
    )
    found = [(item["gsi1sk"], Delivery.model_validate(item)) for item in items]
    return [one for one in found if one[0] != after][:size]


def newest(
    store: Store,
    consumer_id: str,
    since: datetime | None,
    until: datetime | None,
    after: str,
    size: int,
    wants: Callable[[Delivery], bool],
) -> tuple[list[Delivery], str]:
    """A page of a consumer's deliveries, the newest first, and the place where it ended; empty: there are no more.

    It can be short of its size: not more than `_MOST_READ` are looked at for it.
    """
    found: list[Delivery] = []
    for _ in range(_MOST_READ // PAGE):
        some = page(store, consumer_id, since, until, after, PAGE, newest_first=True)
        for after, delivery in some:
            found += [delivery] if wants(delivery) else []
            if len(found) == size:
                return found, after
        if len(some) < PAGE:
            return found, ""
    return found, after


def _keys(consumer_id: str, event_id: str) -> tuple[Key, Key, Key]:
    return keys.delivery(consumer_id, event_id), keys.consumer(consumer_id), pause_key(consumer_id)
