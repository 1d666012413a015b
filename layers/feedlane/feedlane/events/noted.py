"""The events that people read, listed for the portal. All events are in the outbox, by their subject."""

from __future__ import annotations

from collections.abc import Mapping

from feedlane.clock import iso
from feedlane.events.event import TEST, WRITE_SUCCESSFUL, WRITE_UNSUCCESSFUL, Event
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Index

# Each push has one of these: a busy stack would write nothing else, more than one partition of an index takes.
NOT_NOTED = frozenset({WRITE_SUCCESSFUL, WRITE_UNSUCCESSFUL, TEST})


def noted_keys(event: Event) -> Mapping[str, str]:
    """The attributes that list the event; none if nobody reads about each one of its kind."""
    if event.type in NOT_NOTED:
        return {}
    pk, sk = Index.LISTS.keys
    return {pk: keys.NOTED_EVENTS, sk: f"{iso(event.time)}#{event.id}"}


def latest_events(store: Store, limit: int) -> list[Event]:
    """The list is slightly behind the table."""
    items = store.table.query(keys.NOTED_EVENTS, reverse=True, limit=limit, index=Index.LISTS)
    return [Event.model_validate(item) for item in items]
