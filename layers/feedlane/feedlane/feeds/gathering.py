"""Gathering: how long a feed waits for more messages before it sends a statement that is not full."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.feeds.feed import Feed, Gathering
from feedlane.feeds.upstream import STATEMENT_LINES_MAX

# How long a statement waits for the next full batch of messages, and how long in all.
GATHERING_WAIT = timedelta(seconds=2)
GATHERING_WAIT_MAX = timedelta(seconds=20)


def next_gathering(feed: Feed, now: datetime, has_more: bool) -> Gathering | None:
    """The feed's gathering after an append. `has_more`: more messages are on the queue behind those appended."""
    if not has_more:
        return None
    current = feed.gathering
    since = current.since if current is not None and now <= current.until else now
    return Gathering(since=since, until=now + GATHERING_WAIT)


def gathers_until(feed: Feed, now: datetime) -> datetime | None:
    """Until when the feed's next statement waits for more lines; None if it is due now."""
    if feed.gathering is None or feed.waiting >= STATEMENT_LINES_MAX:
        return None
    until = min(feed.gathering.until, feed.gathering.since + GATHERING_WAIT_MAX)
    return until if now < until else None


def is_gathering(feed: Feed, now: datetime) -> bool:
    return gathers_until(feed, now) is not None
