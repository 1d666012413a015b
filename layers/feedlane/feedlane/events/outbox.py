"""The outbox: an event is written to the table in the same commit as the change that it reports."""

from __future__ import annotations

from datetime import timedelta

from feedlane.clock import iso
from feedlane.events.event import Event
from feedlane.store import keys
from feedlane.store.records import expiry, item_of
from feedlane.store.table import Key, Put

EVENT_RETENTION = timedelta(days=90)


def put_event(event: Event) -> Put:
    """The write of the event, to be committed with the change that it reports."""
    return Put(item_of(event_key(event), event, expires_at=expiry(event.time, EVENT_RETENTION)))


def event_key(event: Event) -> Key:
    return keys.event(event.subject, iso(event.time), event.id)
