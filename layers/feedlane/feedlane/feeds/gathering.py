"""Gathering: how long a feed waits for more messages before it sends."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.feeds.feed import Feed, Gathering
from feedlane.feeds.upstream import STATEMENT_LINES_MAX

# How long a statement that is not full waits for the next full batch of messages, and how long for all of them.
LINGER = timedelta(seconds=2)
LINGER_MAX = timedelta(seconds=20)


def next_gathering(feed: Feed, now: datetime, more_to_come: bool) -> Gathering | None:
    """What the feed gathers after an append, given whether more messages wait behind it."""
    if not more_to_come:
        return None
    before = feed.gathering
    goes_on = before is not None and now <= before.until
    return Gathering(since=before.since if before and goes_on else now, until=now + LINGER)


def gathers_until(feed: Feed, now: datetime) -> datetime | None:
    """Until when the feed's next statement waits for more lines; None: it goes now."""
    if feed.gathering is None or feed.waiting >= STATEMENT_LINES_MAX:
        return None
    until = min(feed.gathering.until, feed.gathering.since + LINGER_MAX)
    return until if now < until else None


def is_gathering(feed: Feed, now: datetime) -> bool:
    return gathers_until(feed, now) is not None
