"""How consumers, deliveries, pauses and replays are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.errors import NotFound
from feedlane.events.event import Event
from feedlane.store import keys
from feedlane.store.due import Kind, due_keys, next_look
from feedlane.store.records import add_record, expiry, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import EXISTS, Add, Condition, Delete, Index, Key, Put, When, Write
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Delivery
from feedlane.webhooks.pause import Pause
from feedlane.webhooks.replay import Replay

DELIVERY_RETENTION = timedelta(days=30)
PAUSE_RETENTION = timedelta(days=2)
DELIVERIES_PER_PAGE = 100
_DELIVERIES_READ_MAX = 2_000


@dataclass(frozen=True)
class AttemptInputs:
    """Everything that decides about an attempt, read in one request."""

    delivery: Delivery | None
    consumer: Consumer | None
    pause: Pause | None


# Consumers


def consumers(store: Store) -> list[Consumer]:
    return [Consumer.model_validate(item) for item in store.table.query(keys.CONSUMERS)]


def consumer(store: Store, consumer_id: str) -> Consumer:
    """Raises `NotFound`."""
    consumer = record_in(Consumer, store.table.get(keys.consumer(consumer_id)))
    if consumer is None:
        raise NotFound("webhook consumer", consumer_id)
    return consumer


def add_consumer(consumer: Consumer) -> Put:
    return add_record(keys.consumer(consumer.id), consumer)


def put_consumer(consumer: Consumer) -> Put:
    return put_record(keys.consumer(consumer.id), consumer)


def remove_consumer(consumer: Consumer) -> Delete:
    return Delete(keys.consumer(consumer.id), EXISTS)


def add_counted_consumer(consumer: Consumer, limit: int) -> tuple[Write, ...]:
    """Fails if there are `limit` already. A counter, so that two created at once cannot exceed it together."""
    return add_consumer(consumer), Add(keys.CONSUMER_COUNT, "count", 1, below=limit)


def remove_counted_consumer(consumer: Consumer) -> tuple[Write, ...]:
    return remove_consumer(consumer), Add(keys.CONSUMER_COUNT, "count", -1)


def consumer_unchanged(consumer: Consumer) -> Condition:
    """Fails if the consumer has changed since it was read, for example if it has been enabled."""
    return Condition(keys.consumer(consumer.id), When(equal={"version": consumer.version}))


# Deliveries and pauses


def find_attempt_inputs(store: Store, consumer_id: str, event_id: str) -> AttemptInputs:
    delivery_key, consumer_key = keys.delivery(consumer_id, event_id), keys.consumer(consumer_id)
    pause_key = _pause_key(consumer_id)
    items = store.table.get_many([delivery_key, consumer_key, pause_key])
    return AttemptInputs(
        record_in(Delivery, items.get(delivery_key)),
        record_in(Consumer, items.get(consumer_key)),
        record_in(Pause, items.get(pause_key)),
    )


def find_event(store: Store, delivery: Delivery) -> Event | None:
    """The delivery's event from the outbox; None if it has expired."""
    key = keys.event(delivery.event_subject, iso(delivery.event_time), delivery.event_id)
    return record_in(Event, store.table.get(key))


def existing_deliveries(store: Store, deliveries: Sequence[Delivery]) -> dict[str, Delivery]:
    """Those of the deliveries that are stored, as stored, by consumer."""
    delivery_keys = [keys.delivery(delivery.consumer_id, delivery.event_id) for delivery in deliveries]
    stored = map(Delivery.model_validate, store.table.get_many(delivery_keys).values())
    return {delivery.consumer_id: delivery for delivery in stored}


def delivery_place(delivery: Delivery) -> str:
    """Its place in the list of its consumer's deliveries."""
    return f"{iso(delivery.event_time)}#{delivery.event_id}"


def put_delivery(delivery: Delivery, now: datetime) -> Put:
    """Fails if another worker has written the delivery since it was read, or if a new one exists already.

    The delivery is in the due index while somebody must come back for it.
    """
    look = next_look(max(now, delivery.not_before or now)) if delivery.is_under_way else None
    index_keys = {
        "gsi1pk": keys.deliveries(delivery.consumer_id),
        "gsi1sk": delivery_place(delivery),
    } | due_keys(Kind.DELIVERY, delivery.event_id, look)
    key = keys.delivery(delivery.consumer_id, delivery.event_id)
    return put_record(key, delivery, expires_at=expiry(now, DELIVERY_RETENTION), **index_keys)


def put_pause(pause: Pause, now: datetime) -> Put:
    return put_record(_pause_key(pause.consumer_id), pause, expires_at=expiry(now, PAUSE_RETENTION))


def delivery_page(
    store: Store,
    consumer_id: str,
    since: datetime | None,
    until: datetime | None,
    after: str,
    size: int,
    newest_first: bool = False,
) -> list[tuple[str, Delivery]]:
    """Deliveries in the order of their events, each with its place in the list, beginning behind the place `after`.

    The list is slightly behind the table.
    """
    # Places are `time#event`: a space sorts after nothing, and "~" after every id.
    start, end = iso(since) if since else "", f"{iso(until)}~" if until else "~"
    if after:
        start, end = (start, after) if newest_first else (f"{after} ", end)
    if start > end:
        return []
    items = store.table.query(
        keys.deliveries(consumer_id),
        start=start or " ",
        end=end,
        reverse=newest_first,
        limit=size + 1,
        index=Index.LISTS,
    )
    page = [(item["gsi1sk"], Delivery.model_validate(item)) for item in items]
    return [(place, delivery) for place, delivery in page if place != after][:size]


def newest_deliveries(
    store: Store,
    consumer_id: str,
    since: datetime | None,
    until: datetime | None,
    after: str,
    size: int,
    predicate: Callable[[Delivery], bool],
) -> tuple[list[Delivery], str]:
    """A page of a consumer's deliveries, newest first, and the place where it ends (empty: there are no more).

    It may be shorter than `size`: at most `_DELIVERIES_READ_MAX` deliveries are read for it.
    """
    deliveries: list[Delivery] = []
    for _ in range(_DELIVERIES_READ_MAX // DELIVERIES_PER_PAGE):
        page = delivery_page(store, consumer_id, since, until, after, DELIVERIES_PER_PAGE, newest_first=True)
        for after, delivery in page:
            deliveries += [delivery] if predicate(delivery) else []
            if len(deliveries) == size:
                return deliveries, after
        if len(page) < DELIVERIES_PER_PAGE:
            return deliveries, ""
    return deliveries, after


def _pause_key(consumer_id: str) -> Key:
    return keys.not_before("consumer", consumer_id)


# Replays


def find_replay(store: Store, consumer_id: str, replay_id: str) -> Replay | None:
    return record_in(Replay, store.table.get(keys.replay(consumer_id, replay_id)))


def replays_of(store: Store, consumer_id: str) -> Iterable[Replay]:
    pk, prefix = keys.replay(consumer_id, "")
    return map(Replay.model_validate, store.table.query(pk, prefix=prefix))


def running_replays(store: Store) -> Iterable[Key]:
    """The keys of the running replays of all consumers. The list is slightly behind the table."""
    return ((item["pk"], item["sk"]) for item in store.table.query(keys.REPLAYS, index=Index.LISTS))


def put_replay(replay: Replay, now: datetime) -> Put:
    """Fails if another worker has written the replay since it was read. Only running ones are in the list of all."""
    key = keys.replay(replay.consumer_id, replay.id)
    index_keys = {"gsi1pk": keys.REPLAYS, "gsi1sk": f"{replay.consumer_id}#{replay.id}"} if replay.is_running else {}
    return put_record(key, replay, expires_at=expiry(now, DELIVERY_RETENTION), **index_keys)
