"""Waking all feeds that wait: for what concerns every one of them, and must not be lost in a crash."""

from __future__ import annotations

from feedlane.queues import Check, Queues
from feedlane.store import ledger
from feedlane.store.store import Store

# Long enough for the change that it goes with to be written.
SAFETY_DELAY = 20


def promise_all(queues: Queues) -> None:
    """Before a change after which all feeds go on: they are woken even if we crash right after the change."""
    queues.check(Check(kind="wakeAll", feed_id=""), SAFETY_DELAY)


def wake_all(store: Store, queues: Queues) -> None:
    """Wakes every feed that has something to send."""
    for feed in ledger.all_feeds(store):
        if feed.waiting:
            queues.wake(feed.id)
