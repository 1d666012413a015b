"""Each event becomes one delivery to every consumer that wants it."""

from __future__ import annotations

from datetime import datetime

from feedlane.consumer import Consumer
from feedlane.delivery import Delivery, DeliveryState
from feedlane.event import Event
from feedlane.queues import Queues
from feedlane.store import deliveries
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Write

_TRIES = 5


def route(store: Store, queues: Queues, event: Event, now: datetime) -> list[Delivery]:
    """The event's deliveries, recorded and then rung in. May be done again, after a crash or by the bus.

    A delivery that is there already is not made again; one that has had no attempt may never have been rung in, and is.
    A disabled consumer's wait for it.
    """
    made = _record(store, [consumer for consumer in store.consumers() if consumer.wants(event)], event, now)
    for delivery in made:
        if delivery.state is DeliveryState.SENDING and not delivery.attempts:
            queues.deliver(delivery.consumer_id, event.id, 0)
    return made


def _record(store: Store, consumers: list[Consumer], event: Event, now: datetime) -> list[Delivery]:
    """The deliveries as they are in the table after this, whoever has put them there."""
    for _ in range(_TRIES):
        if not consumers:
            return []
        wanted = [_delivery(consumer, event) for consumer in consumers]
        try:
            store.commit(*_writes(consumers, wanted, now))
        except ConditionFailed:
            there = deliveries.existing(store, wanted)
            left = [consumer for consumer in consumers if consumer.id not in there]
            current = {consumer.id: consumer for consumer in store.consumers()}
            others = [current[consumer.id] for consumer in left if consumer.id in current]
            return [*there.values(), *_record(store, others, event, now)]
        return wanted
    raise ConditionFailed([])


def _delivery(consumer: Consumer, event: Event) -> Delivery:
    delivery = Delivery.of(event, consumer.id)
    return delivery.waiting() if consumer.disabled else delivery


def _writes(consumers: list[Consumer], wanted: list[Delivery], now: datetime) -> list[Write]:
    """A delivery may only be left waiting if its consumer is still disabled at that moment."""
    writes: list[Write] = [deliveries.put_delivery(delivery, now) for delivery in wanted]
    return writes + [deliveries.unchanged(consumer) for consumer in consumers if consumer.disabled]
