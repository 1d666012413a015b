"""Routes an event: one delivery to each consumer that wants it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from feedlane.events import outbox
from feedlane.events.event import Event
from feedlane.ports import Ports
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import WRITES_PER_COMMIT_MAX, ConditionFailed, Key, Write
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Delivery, DeliveryState


def route(ports: Ports, event: Event, now: datetime, consumers: list[Consumer] | None = None) -> list[Delivery]:
    """Records the event's deliveries, then queues them. Safe to repeat, after a crash or if the bus repeats the event.

    `consumers` are all consumers, if they have been read since the event happened. An existing delivery is not created
    again, but queued if it has had no attempt: its message may never have been sent. Deliveries to a disabled consumer
    wait. From then on each delivery is in the due index itself, and the event no longer is.
    """
    if consumers is None:
        consumers = webhook_items.consumers(ports.store)
    deliveries = _record_deliveries(ports.store, event, now, consumers)
    for delivery in deliveries:
        if delivery.state is DeliveryState.SENDING and not delivery.attempts:
            ports.queues.deliver(delivery.consumer_id, event.id, 0)
    return deliveries


def route_all(ports: Ports, events: Sequence[Event], now: datetime, consumers: list[Consumer]) -> dict[str, int]:
    """The same for events that are routed for the first time, in as few commits as possible.

    Answers how many deliveries each event became. Raises `ConditionFailed` if anything has been recorded before, or
    `TooLarge`: they must then be routed one by one, which does no harm to those already routed.
    """
    different = {event.id: event for event in events}
    deliveries = {
        id: [_new_delivery(consumer, event) for consumer in consumers if consumer.wants(event)]
        for id, event in different.items()
    }
    for batch in _commits([_first_writes(event, deliveries[id], consumers, now) for id, event in different.items()]):
        ports.store.commit(*batch.values())
    for id, of_event in deliveries.items():
        for delivery in of_event:
            if delivery.state is DeliveryState.SENDING:
                ports.queues.deliver(delivery.consumer_id, id, 0)
    return {id: len(of_event) for id, of_event in deliveries.items()}


def _first_writes(
    event: Event, deliveries: list[Delivery], consumers: list[Consumer], now: datetime
) -> dict[Key, Write]:
    """By key: the condition that a disabled consumer is unchanged is the same for all events."""
    subscribers = [consumer for consumer in consumers if consumer.wants(event)]
    return {write.key: write for write in (*_writes(subscribers, deliveries, now), outbox.routed(event))}


def _commits(events: list[dict[Key, Write]]) -> Iterator[dict[Key, Write]]:
    """The events' writes, as many events together as fit into a commit."""
    batch: dict[Key, Write] = {}
    for writes in events:
        if batch and len(batch | writes) > WRITES_PER_COMMIT_MAX:
            yield batch
            batch = {}
        batch |= writes
    if batch:
        yield batch


def _record_deliveries(store: Store, event: Event, now: datetime, consumers: list[Consumer]) -> list[Delivery]:
    """All deliveries of the event as stored after this: new ones, and those that existed before."""
    existing: dict[str, Delivery] = {}
    in_outbox = True
    for attempt in attempts(f"deliveries of event {event.id}"):
        subscribers = [consumer for consumer in consumers if consumer.wants(event) and consumer.id not in existing]
        deliveries = [_new_delivery(consumer, event) for consumer in subscribers]
        if not deliveries:
            with suppress(ConditionFailed):  # it has expired from the outbox
                store.commit(outbox.routed(event))
            return list(existing.values())
        writes = _writes(subscribers, deliveries, now)
        if in_outbox and len(writes) < WRITES_PER_COMMIT_MAX:
            writes.append(outbox.routed(event))
        with attempt:
            store.commit(*writes)
            break
        in_outbox = in_outbox and not (attempt.failure and outbox.event_key(event) in attempt.failure.keys)
        existing |= webhook_items.existing_deliveries(store, deliveries)
        consumers = webhook_items.consumers(store)
    return [*existing.values(), *deliveries]


def _new_delivery(consumer: Consumer, event: Event) -> Delivery:
    delivery = Delivery.of(event, consumer.id)
    return delivery.waiting() if consumer.disabled else delivery


def _writes(consumers: list[Consumer], deliveries: list[Delivery], now: datetime) -> list[Write]:
    """Fails if a consumer that was disabled has changed: once it is enabled, its delivery must not be left waiting."""
    writes: list[Write] = [webhook_items.put_delivery(delivery, now) for delivery in deliveries]
    return writes + [webhook_items.consumer_unchanged(consumer) for consumer in consumers if consumer.disabled]
