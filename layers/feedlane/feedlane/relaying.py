"""Events from the outbox to the bus, in the order of their subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from feedlane.envelope import detail
from feedlane.event import Event

# EventBridge takes ten entries at once, of 256 KB together; the rest is for what surrounds the details.
MOST_AT_ONCE = 10
MOST_BYTES = 240_000


class Captured(NamedTuple):
    """An event, and where it is in the stream."""

    sequence: str
    event: Event


class Notice(NamedTuple):
    """An event as it is put on the bus: its detail is JSON."""

    event: Event
    detail: str


class Bus(Protocol):
    def put(self, notices: list[Notice]) -> list[bool]:
        """Which of them the bus took, in the order given."""


def relay(captured: Iterable[Captured], bus: Bus, on_taken: Callable[[Event], None] = lambda event: None) -> str | None:
    """The place in the stream of the first event that the bus did not take, or None: from there it must come again.

    Nothing is sent after a failure, so that no event overtakes one of its subject. Others that were sent along with
    the failed one go twice, with the same id. `on_taken` is told of each that the bus took.
    """
    for some in _together(captured):
        taken = bus.put([notice for _, notice in some])
        for (_, notice), was_taken in zip(some, taken, strict=True):
            if was_taken:
                on_taken(notice.event)
        for (sequence, _), was_taken in zip(some, taken, strict=True):
            if not was_taken:
                return sequence
    return None


def _together(captured: Iterable[Captured]) -> Iterator[list[tuple[str, Notice]]]:
    """What can go at once: at most one event of each subject, because the bus may take only some of them."""
    some: list[tuple[str, Notice]] = []
    subjects: set[str] = set()
    size = 0
    for sequence, event in captured:
        notice = _notice(event)
        length = len(notice.detail.encode())
        if some and (len(some) == MOST_AT_ONCE or event.subject in subjects or size + length > MOST_BYTES):
            yield some
            some, subjects, size = [], set(), 0
        some.append((sequence, notice))
        subjects.add(event.subject)
        size += length
    if some:
        yield some


def _notice(event: Event) -> Notice:
    """One that is too large for the bus goes without its payload, rather than to stop all others behind it."""
    whole = detail(event)
    if len(whole.encode()) <= MOST_BYTES:
        return Notice(event, whole)
    return Notice(event, detail(event.but(payload={"tooLarge": True})))
