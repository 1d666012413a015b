"""Waking all feeds that wait: for what concerns every one of them, and must not be lost in a crash."""

from __future__ import annotations

from feedlane.feeds.pages import feed_page
from feedlane.follow_ups import WakeAll
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues


def schedule_wake_all(queues: Queues) -> None:
    """Before a change after which all feeds go on: they are woken even if we crash right after the change."""
    queues.follow_up(WakeAll(), SAFETY_DELAY_SECONDS)


def wake_all(ports: Ports, after: str = "") -> None:
    """Wakes every feed that has something to send: a page of them now, and a message goes on behind it.

    May be done again, in part or as a whole: a wake-up for which there is nothing to do costs nothing.
    """
    page = feed_page(ports.store, after)
    for feed in page.feeds:
        if feed.waiting:
            ports.queues.wake(feed.id)
    if page.resume_after is not None:
        ports.queues.follow_up(WakeAll(after=page.resume_after), 0)
