"""A small cache of what the vault has of each consumer: its secrets and its headers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from feedlane.clock import Clock
from feedlane.webhooks.consumer import Consumer

CACHE_LIFETIME = timedelta(seconds=60)
T = TypeVar("T")


class ExpiringCache(Generic[T]):
    """What the vault has of each consumer, asked for at most once a minute, and anew after a change of the consumer."""

    def __init__(self, ask: Callable[[str], T], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._known: dict[str, tuple[datetime, int, T]] = {}
        self._lock = Lock()

    def of(self, consumer: Consumer) -> T:
        """Nothing is not remembered: a new consumer's secret may be on its way."""
        now = self._clock()
        found = self._cached_value(consumer, now)
        if found:
            return found
        with self._lock:
            found = self._cached_value(consumer, now)
            if not found:
                found = self._ask(consumer.id)
                self._known[consumer.id] = (now, consumer.version, found)
        return found

    def _cached_value(self, consumer: Consumer, now: datetime) -> T | None:
        time, version, found = self._known.get(consumer.id, (now, -1, None))
        return found if version == consumer.version and now - time < CACHE_LIFETIME else None
