"""Events from the outbox to the bus, in the order of their subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from feedlane.events.envelope import bus_detail
from feedlane.events.event import Event

# EventBridge takes ten entries at once, of 256 KB together; the rest is for what surrounds the details.
ENTRIES_PER_PUT_MAX = 10
PUT_BYTES_MAX = 240_000


class StreamedEvent(NamedTuple):
    """An event, and where it is in the stream."""

    sequence: str
    event: Event


class BusEntry(NamedTuple):
    """An event as it is put on the bus: its detail is JSON."""

    event: Event
    detail: str


class Bus(Protocol):
    def put(self, notices: list[BusEntry]) -> list[bool]:
        """Which of them the bus took, in the order given."""


def relay(
    captured: Iterable[StreamedEvent], bus: Bus, on_taken: Callable[[Event], None] = lambda event: None
) -> str | None:
    """The place in the stream of the first event that the bus did not take, or None: from there it must come again.

    Nothing is sent after a failure, so that no event overtakes one of its subject. Others that were sent along with
    the failed one go twice, with the same id. `on_taken` is told of each that the bus took.
    """
    for some in _batches(captured):
        taken = bus.put([notice for _, notice in some])
        for (_, notice), was_taken in zip(some, taken, strict=True):
            if was_taken:
                on_taken(notice.event)
        for (sequence, _), was_taken in zip(some, taken, strict=True):
            if not was_taken:
                return sequence
    return None


def _batches(captured: Iterable[StreamedEvent]) -> Iterator[list[tuple[str, BusEntry]]]:
    """What can go at once: at most one event of each subject, because the bus may take only some of them."""
    some: list[tuple[str, BusEntry]] = []
    subjects: set[str] = set()
    size = 0
    for sequence, event in captured:
        notice = _bus_entry(event)
        length = len(notice.detail.encode())
        if some and (len(some) == ENTRIES_PER_PUT_MAX or event.subject in subjects or size + length > PUT_BYTES_MAX):
            yield some
            some, subjects, size = [], set(), 0
        some.append((sequence, notice))
        subjects.add(event.subject)
        size += length
    if some:
        yield some


def _bus_entry(event: Event) -> BusEntry:
    """One that is too large for the bus goes without its payload, rather than to stop all others behind it."""
    whole = bus_detail(event)
    if len(whole.encode()) <= PUT_BYTES_MAX:
        return BusEntry(event, whole)
    return BusEntry(event, bus_detail(event.but(payload={"tooLarge": True})))
