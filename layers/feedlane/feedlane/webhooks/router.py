"""Each event becomes one delivery to every consumer that wants it."""

from __future__ import annotations

from datetime import datetime

from feedlane.events.event import Event
from feedlane.ports import Ports
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import Write
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Delivery, DeliveryState


def route(ports: Ports, event: Event, now: datetime, consumers: list[Consumer] | None = None) -> list[Delivery]:
    """The event's deliveries, recorded and then rung in. May be done again, after a crash or by the bus.

    `consumers` are all there are, if somebody has read them since the event happened.
    A delivery that is there already is not made again; one that has had no attempt may never have been rung in, and is.
    A disabled consumer's wait for it.
    """
    made = _record_deliveries(
        ports.store, event, now, webhook_items.consumers(ports.store) if consumers is None else consumers
    )
    for delivery in made:
        if delivery.state is DeliveryState.SENDING and not delivery.attempts:
            ports.queues.deliver(delivery.consumer_id, event.id, 0)
    return made


def _record_deliveries(store: Store, event: Event, now: datetime, consumers: list[Consumer]) -> list[Delivery]:
    """The event's deliveries as they are in the table after this, whoever has put them there."""
    there: dict[str, Delivery] = {}
    for attempt in attempts(f"deliveries of event {event.id}"):
        wanting = [one for one in consumers if one.wants(event) and one.id not in there]
        made = [_new_delivery(consumer, event) for consumer in wanting]
        if not made:
            return list(there.values())
        with attempt:
            store.commit(*_writes(wanting, made, now))
            break
        there |= webhook_items.existing_deliveries(store, made)
        consumers = webhook_items.consumers(store)
    return [*there.values(), *made]


def _new_delivery(consumer: Consumer, event: Event) -> Delivery:
    delivery = Delivery.of(event, consumer.id)
    return delivery.waiting() if consumer.disabled else delivery


def _writes(consumers: list[Consumer], made: list[Delivery], now: datetime) -> list[Write]:
    """A delivery may only be left waiting if its consumer is still disabled at that moment."""
    writes: list[Write] = [webhook_items.put_delivery(delivery, now) for delivery in made]
    return writes + [webhook_items.consumer_unchanged(consumer) for consumer in consumers if consumer.disabled]
