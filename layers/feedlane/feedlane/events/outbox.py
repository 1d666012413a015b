"""The outbox: an event is written to the table in the same commit as the change that it reports."""

from __future__ import annotations

from datetime import timedelta

from feedlane.clock import iso
from feedlane.events.event import Event
from feedlane.events.noted import noted_keys
from feedlane.store import keys
from feedlane.store.due import Kind, due_keys, next_look
from feedlane.store.records import expiry, item_of
from feedlane.store.table import EXISTS, Add, Index, Key, Put

EVENT_RETENTION = timedelta(days=90)


def put_event(event: Event) -> Put:
    """The write of the event, to be committed with the change that it reports.

    It is in the due index until it is routed: neither the table's stream nor the bus keeps it longer than a day.
    """
    due = due_keys(Kind.EVENT, event.id, next_look(event.time))
    return Put(
        item_of(event_key(event), event, expires_at=expiry(event.time, EVENT_RETENTION), **due, **noted_keys(event))
    )


def routed(event: Event) -> Add:
    """The write that takes the event off the due index. Fails if it has expired from the outbox."""
    return Add(event_key(event), "looks", 1, when=EXISTS, remove=Index.DUE.keys)


def event_key(event: Event) -> Key:
    return keys.event(event.subject, iso(event.time), event.id)
