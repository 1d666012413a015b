"""The events about consumers: disabled, and test."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feedlane.clock import iso
from feedlane.events import event as event_types
from feedlane.events.event import Event, without_nulls
from feedlane.ports import Ports
from feedlane.webhooks.consumer import Consumer


def consumer_disabled(ports: Ports, consumer: Consumer, reason: str, now: datetime) -> Event:
    """`reason` is "gone" (it answered 410) or "failing" (for days). The URL's query may contain a key: left out."""
    payload = {
        "consumerId": consumer.id,
        "url": consumer.url.split("?")[0],
        "reason": reason,
        "failingSince": iso(consumer.failing_since) if consumer.failing_since else None,
    }
    return _of_consumer(ports, event_types.CONSUMER_DISABLED, consumer, payload, now)


def consumer_test(ports: Ports, consumer: Consumer, now: datetime) -> Event:
    """An event for this consumer only, whatever its filters."""
    payload = {"consumerId": consumer.id, "message": "This is a test. Nothing has happened."}
    return _of_consumer(ports, event_types.TEST, consumer, payload, now)


def _of_consumer(ports: Ports, event_type: str, consumer: Consumer, payload: dict[str, Any], now: datetime) -> Event:
    """An event without a company: consumers belong to the platform."""
    return Event(id=ports.new_id(), type=event_type, subject=consumer.subject, time=now, payload=without_nulls(payload))
