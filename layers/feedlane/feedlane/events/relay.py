"""Carries events from the outbox to the bus, in order per subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import NamedTuple, Protocol

from feedlane.events.envelope import bus_detail
from feedlane.events.event import Event

# EventBridge takes ten entries in one call, 256 KB in all; the rest is for the fields around the details.
ENTRIES_PER_PUT_MAX = 10
PUT_BYTES_MAX = 240_000


class StreamedEvent(NamedTuple):
    """An event and its place in the stream."""

    sequence: str
    event: Event


class BusEntry(NamedTuple):
    """An event as the bus gets it: `detail` is JSON."""

    event: Event
    detail: str


class EventNotAccepted(Exception):
    """The bus did not accept the event at this place in the stream, or one sent together with it."""

    def __init__(self, sequence_number: str) -> None:
        super().__init__(f"the bus did not accept the event at {sequence_number}")
        self.sequence_number = sequence_number


class Reply(Enum):
    """What the bus did with one entry."""

    ACCEPTED = "accepted"
    NOT_NOW = "not now"
    NEVER = "never"
    """The entry itself is at fault: it will be refused however often it is sent."""


class Bus(Protocol):
    def put(self, entries: list[BusEntry]) -> list[Reply]:
        """The reply to each entry, in order."""


OnAccepted = Callable[[Event], None]
OnSetAside = Callable[[Event, str], None]
"""Gets the event and why it cannot be sent. It stays in the outbox."""


def relay(
    events: Iterable[StreamedEvent],
    bus: Bus,
    on_accepted: OnAccepted = lambda event: None,
    on_set_aside: OnSetAside = lambda event, reason: None,
) -> str | None:
    """Puts events on the bus. Answers the place of the first that it refused, from where to retry; None if all passed.

    Nothing is sent after a failure, so that no event overtakes another of its subject. Events in the same call as the
    failed one are sent twice, with the same id. `on_accepted` is called for each event that the bus accepted.

    An event that can never be sent is set aside alone: it must not stop those after it, which concern others.
    """
    for batch in _batches(events, on_set_aside):
        replies = bus.put([entry for _, entry in batch])
        for (_, entry), reply in zip(batch, replies, strict=True):
            if reply is Reply.ACCEPTED:
                on_accepted(entry.event)
            elif reply is Reply.NEVER:
                on_set_aside(entry.event, "the bus refuses its content")
        for (sequence, _), reply in zip(batch, replies, strict=True):
            if reply is Reply.NOT_NOW:
                return sequence
    return None


def _batches(events: Iterable[StreamedEvent], on_set_aside: OnSetAside) -> Iterator[list[tuple[str, BusEntry]]]:
    """The entries of each call: at most one of each subject, because the bus may accept only some of them."""
    batch: list[tuple[str, BusEntry]] = []
    subjects: set[str] = set()
    size = 0
    for sequence, event in events:
        try:
            entry = _bus_entry(event)
            length = len(entry.detail.encode())
        except (ValueError, TypeError, RecursionError) as error:
            on_set_aside(event, f"it cannot be encoded: {type(error).__name__}")
            continue
        if batch and (len(batch) == ENTRIES_PER_PUT_MAX or event.subject in subjects or size + length > PUT_BYTES_MAX):
            yield batch
            batch, subjects, size = [], set(), 0
        batch.append((sequence, entry))
        subjects.add(event.subject)
        size += length
    if batch:
        yield batch


def _bus_entry(event: Event) -> BusEntry:
    """An event too large for the bus goes without its payload, so that it does not stop those after it."""
    detail = bus_detail(event)
    if len(detail.encode()) <= PUT_BYTES_MAX:
        return BusEntry(event, detail)
    return BusEntry(event, bus_detail(event.but(payload={"tooLarge": True})))
