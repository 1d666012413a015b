"""How consumers, deliveries and replays are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.errors import NotFound
from feedlane.events.event import Event
from feedlane.store import keys
from feedlane.store.records import add_record, expiry, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import EXISTS, Add, Condition, Delete, Key, Put, When, Write
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Delivery
from feedlane.webhooks.pause import Pause
from feedlane.webhooks.replay import Replay


def consumers(store: Store) -> list[Consumer]:
    return [Consumer.model_validate(item) for item in store.table.query(keys.CONSUMERS)]


def consumer(store: Store, consumer_id: str) -> Consumer:
    found = record_in(Consumer, store.table.get(keys.consumer(consumer_id)))
    if found is None:
        raise NotFound("webhook consumer", consumer_id)
    return found


def add_consumer(consumer: Consumer) -> Put:
    return add_record(keys.consumer(consumer.id), consumer)


def put_consumer(consumer: Consumer) -> Put:
    return put_record(keys.consumer(consumer.id), consumer)


def remove_consumer(consumer: Consumer) -> Delete:
    return Delete(keys.consumer(consumer.id), EXISTS)


def add_counted_consumer(consumer: Consumer, most: int) -> tuple[Write, ...]:
    """Fails if there are `most` already: counted, so that two that come at once do not both fit."""
    return add_consumer(consumer), Add(keys.CONSUMER_COUNT, "count", 1, below=most)


def remove_counted_consumer(consumer: Consumer) -> tuple[Write, ...]:
    return remove_consumer(consumer), Add(keys.CONSUMER_COUNT, "count", -1)


DELIVERY_RETENTION = timedelta(days=30)
PAUSE_RETENTION = timedelta(days=2)
DELIVERIES_PER_PAGE = 100
_DELIVERIES_READ_MAX = 2_000


@dataclass(frozen=True)
class AttemptInputs:
    """What decides about an attempt, read in one request."""

    delivery: Delivery | None
    consumer: Consumer | None
    pause: Pause | None


def find_attempt_inputs(store: Store, consumer_id: str, event_id: str) -> AttemptInputs:
    delivery, consumer, pause = _attempt_keys(consumer_id, event_id)
    found = store.table.get_many([delivery, consumer, pause])
    return AttemptInputs(
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
    return put_record(key, delivery, expires_at=expiry(now, DELIVERY_RETENTION), **listed)


def put_pause(pause: Pause, now: datetime) -> Put:
    return put_record(pause_key(pause.consumer_id), pause, expires_at=expiry(now, PAUSE_RETENTION))


def pause_key(consumer_id: str) -> Key:
    return keys.limit("consumer", consumer_id)


def consumer_unchanged(consumer: Consumer) -> Condition:
    """Fails if the consumer was changed since it was read: enabled, for one."""
    return Condition(keys.consumer(consumer.id), When(equal={"version": consumer.version}))


def existing_deliveries(store: Store, deliveries: Sequence[Delivery]) -> dict[str, Delivery]:
    """Those of them that are in the table already, as they are there, by consumer."""
    wanted = [keys.delivery(delivery.consumer_id, delivery.event_id) for delivery in deliveries]
    found = map(Delivery.model_validate, store.table.get_many(wanted).values())
    return {delivery.consumer_id: delivery for delivery in found}


def delivery_page(
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


def newest_deliveries(
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
    for _ in range(_DELIVERIES_READ_MAX // DELIVERIES_PER_PAGE):
        some = delivery_page(store, consumer_id, since, until, after, DELIVERIES_PER_PAGE, newest_first=True)
        for after, delivery in some:
            found += [delivery] if wants(delivery) else []
            if len(found) == size:
                return found, after
        if len(some) < DELIVERIES_PER_PAGE:
            return found, ""
    return found, after


def _attempt_keys(consumer_id: str, event_id: str) -> tuple[Key, Key, Key]:
    return keys.delivery(consumer_id, event_id), keys.consumer(consumer_id), pause_key(consumer_id)


def find_replay(store: Store, consumer_id: str, replay_id: str) -> Replay | None:
    return record_in(Replay, store.table.get(keys.replay(consumer_id, replay_id)))


def replays_of(store: Store, consumer_id: str) -> Iterable[Replay]:
    pk, prefix = keys.replay(consumer_id, "")
    return map(Replay.model_validate, store.table.query(pk, prefix=prefix))


def running_replays(store: Store) -> Iterable[Replay]:
    """Those of all consumers that run. The list is a moment behind the table."""
    return map(Replay.model_validate, store.table.query(keys.REPLAYS, index=True))


def put_replay(replay: Replay, now: datetime) -> Put:
    """Fails if somebody else has written it since it was read. Only those that run are in the list of all."""
    key = keys.replay(replay.consumer_id, replay.id)
    listed = {"gsi1pk": keys.REPLAYS, "gsi1sk": f"{replay.consumer_id}#{replay.id}"} if replay.is_running else {}
    return put_record(key, replay, expires_at=expiry(now, DELIVERY_RETENTION), **listed)
