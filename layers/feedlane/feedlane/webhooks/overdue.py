"""Looks at events and deliveries that nobody has moved on for minutes: a message of theirs was lost, or is very late.

Neither depends on a message, on the table's stream or on the bus. A second message for one that is not lost does no
harm: an event is routed once, and a delivery has one attempt at a time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import ValidationError

from feedlane.events.event import Event
from feedlane.ports import Ports
from feedlane.store.due import LOOK_AFTER, NOTHING_LEFT, Look, next_look
from feedlane.store.table import Item
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.delivery import Delivery
from feedlane.webhooks.router import route

# A queue that is far behind has a message for each of its deliveries: each ring doubles the time to the next.
LOOK_INTERVAL_MAX = timedelta(days=1)
_DOUBLINGS_MAX = 10


def look_at_event(ports: Ports, now: datetime, item: Item) -> Look:
    """Routes an event that did not come from the bus. What cannot be read was reported when it was relayed."""
    try:
        event = Event.model_validate(item)
    except ValidationError:
        return NOTHING_LEFT
    route(ports, event, now)
    return Look(rung=True)


def look_at_delivery(ports: Ports, now: datetime, item: Item) -> Look:
    """Queues a delivery whose attempt is due, or whose worker has died. A paused consumer's waits with it."""
    delivery = Delivery.model_validate(item)
    inputs = webhook_items.find_attempt_inputs(ports.store, delivery.consumer_id, delivery.event_id)
    if inputs.consumer is None or not delivery.is_under_way:
        return NOTHING_LEFT
    pause_end = inputs.pause.until if inputs.pause and inputs.pause.is_active else None
    not_before = max((time for time in (delivery.not_before, pause_end) if time), default=now)
    if not_before > now:
        return Look(again=next_look(not_before))
    ports.queues.deliver(delivery.consumer_id, delivery.event_id, 0)
    pause = LOOK_AFTER * 2 ** min(int(item.get("looks", 0)), _DOUBLINGS_MAX)
    return Look(rung=True, again=now + min(LOOK_INTERVAL_MAX, pause))
