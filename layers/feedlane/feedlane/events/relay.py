"""Carries events from the outbox to the bus, in order per subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    """Puts events on the bus. Answers the place of the first that it did not take, from where to retry; None if all.

    Nothing is sent after a failure, so that no event overtakes another of its subject. Events behind that place which
    the bus has taken are sent twice, with the same id. `on_accepted` is called for each event that the bus accepted.

    An event that can never be sent is set aside alone: it must not stop those after it, which concern others.
    """
    entries = list(_entries(events, on_set_aside))
    left = {position for position, _ in enumerate(entries)}
    for batch in _batches(entries):
        replies = bus.put([entries[position][1] for position in batch])
        for position, reply in zip(batch, replies, strict=True):
            if reply is Reply.NOT_NOW:
                continue
            left.discard(position)
            if reply is Reply.ACCEPTED:
                on_accepted(entries[position][1].event)
            elif reply is Reply.NEVER:
                on_set_aside(entries[position][1].event, "the bus refuses its content")
        if Reply.NOT_NOW in replies:
            return entries[min(left)][0]
    return None


def _entries(events: Iterable[StreamedEvent], on_set_aside: OnSetAside) -> Iterator[tuple[str, BusEntry]]:
    """Each event's place and what the bus gets; those that cannot be encoded are set aside."""
    for sequence, event in events:
        try:
            yield sequence, _bus_entry(event)
        except (ValueError, TypeError, RecursionError) as error:
            on_set_aside(event, f"it cannot be encoded: {type(error).__name__}")


def _batches(entries: Sequence[tuple[str, BusEntry]]) -> Iterator[list[int]]:
    """The positions of each call's entries: at most one of each subject, because the bus may accept only some of them.

    First the first event of every subject, then every second one: many events of one subject in a row, as when a
    statement ends, take no more calls than they must.
    """
    turns: Counter[str] = Counter()
    turn_of: list[int] = []
    for _, entry in entries:
        turn_of.append(turns[entry.event.subject])
        turns[entry.event.subject] += 1
    batch: list[int] = []
    subjects: set[str] = set()
    size = 0
    for position in sorted(range(len(entries)), key=turn_of.__getitem__):
        entry = entries[position][1]
        subject, length = entry.event.subject, len(entry.detail.encode())
        if batch and (len(batch) == ENTRIES_PER_PUT_MAX or subject in subjects or size + length > PUT_BYTES_MAX):
            yield batch
            batch, subjects, size = [], set(), 0
        batch.append(position)
        subjects.add(subject)
        size += length
    if batch:
        yield batch


def _bus_entry(event: Event) -> BusEntry:
    """An event too large for the bus goes without its payload, so that it does not stop those after it."""
    detail = bus_detail(event)
    if len(detail.encode()) <= PUT_BYTES_MAX:
        return BusEntry(event, detail)
    return BusEntry(event, bus_detail(event.but(payload={"tooLarge": True})))
