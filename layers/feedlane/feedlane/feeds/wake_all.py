"""Waking all feeds with waiting lines, after a change that concerns every one of them, even if a function crashes."""

from __future__ import annotations

from feedlane.feeds.pages import feed_page
from feedlane.follow_ups import WakeAll
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS, Queues


def schedule_wake_all(queues: Queues) -> None:
    """Called before a change that lets all feeds send: they are woken even if we crash right after the change."""
    queues.follow_up(WakeAll(), SAFETY_DELAY_SECONDS)


def wake_all(ports: Ports, after: str = "") -> None:
    """Wakes every feed that has something to send: one page of them now; a follow-up message continues after it.

    May be repeated, in part or as a whole: a wake-up with nothing to do costs nothing.
    """
    page = feed_page(ports.store, after)
    for feed in page.feeds:
        if feed.waiting:
            ports.queues.wake(feed.id)
    if page.resume_after is not None:
        ports.queues.follow_up(WakeAll(after=page.resume_after), 0)
