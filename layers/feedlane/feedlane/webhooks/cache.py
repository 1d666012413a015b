"""A small cache of what the vault keeps for each consumer: its signing secrets or its headers."""

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
    """Fetches a consumer's value at most once a minute, and again as soon as the consumer has changed."""

    def __init__(self, fetch: Callable[[str], T], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._entries: dict[str, tuple[datetime, int, T]] = {}
        self._lock = Lock()

    def get(self, consumer: Consumer) -> T:
        """The consumer's value. An empty one is fetched again each time: a new consumer's secret may be on its way."""
        now = self._clock()
        value = self._cached_value(consumer, now)
        if value:
            return value
        with self._lock:
            value = self._cached_value(consumer, now)
            if not value:
                value = self._fetch(consumer.id)
                self._entries[consumer.id] = (now, consumer.version, value)
        return value

    def _cached_value(self, consumer: Consumer, now: datetime) -> T | None:
        time, version, value = self._entries.get(consumer.id, (now, -1, None))
        return value if version == consumer.version and now - time < CACHE_LIFETIME else None
