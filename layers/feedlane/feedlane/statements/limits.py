"""Xero's rate limits, kept by ourselves: whether a call may go now, or when. Pure.

Xero counts per tenant (60 a minute, 5 at once, a number a day) and, for statements, per app (180 in any 60 seconds).
All function instances share one count: `store/limits.py` keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.record import Record

MINUTE = timedelta(seconds=60)
# A call that never reported its end: longer than any call may take.
CALL_DURATION_MAX = timedelta(seconds=65)
WAIT_SECONDS_MIN = 1
DAY_FULL_WAIT_SECONDS = 3600


@dataclass(frozen=True)
class Limits:
    """How many calls in any 60 seconds, at once, and in a day (UTC). None: no such limit."""

    minute: int
    at_once: int | None = None
    day: int | None = None


# A little below Xero's numbers: people wait for the calls that Link and the API make beside the feeds'.
TENANT_LIMITS = Limits(minute=55, at_once=5)
APP_STATEMENT_LIMITS = Limits(minute=175)
DAILY_CALLS_RESERVED = 100


def tenant_limits(daily_limit: int) -> Limits:
    """What calls about a tenant's statements keep to. `daily_limit` is Xero's number; it depends on the app's tier."""
    return replace(TENANT_LIMITS, day=daily_limit - DAILY_CALLS_RESERVED)


class Traffic(Record):
    """The calls of the last minute (their times, ISO), those under way (id and when they count as over), the day's.

    `told` is the last day of which it was told that it has no room left.
    """

    recent: tuple[str, ...] = ()
    under_way: dict[str, str] = {}
    day: str = ""
    today: int = 0
    told: str = ""
    version: int = 0


@dataclass(frozen=True)
class RateLimited:
    """Not now: come back after so many seconds. `day_is_full`: not before tomorrow (UTC)."""

    seconds: int
    day_is_full: bool = False


def admit(traffic: Traffic, limits: Limits, now: datetime, call_id: str) -> Traffic | RateLimited:
    """The traffic with this call in it, or how long it has to wait."""
    moment, minute_ago, day = iso(now), iso(now - MINUTE), iso(now)[:10]
    recent = tuple(time for time in traffic.recent if time > minute_ago)
    under_way = {id: over for id, over in traffic.under_way.items() if over > moment}
    today = traffic.today if traffic.day == day else 0
    if limits.day is not None and today >= limits.day:
        return RateLimited(DAY_FULL_WAIT_SECONDS, day_is_full=True)
    if limits.at_once is not None and len(under_way) >= limits.at_once:
        return RateLimited(WAIT_SECONDS_MIN)
    if len(recent) >= limits.minute:
        # Room comes when the call that is `minute` places back has left the window.
        leaves = datetime.fromisoformat(recent[-limits.minute]) + MINUTE
        return RateLimited(max(WAIT_SECONDS_MIN, int((leaves - now).total_seconds()) + 1))
    if limits.at_once is not None:
        under_way[call_id] = iso(now + CALL_DURATION_MAX)
    return traffic.but(recent=(*recent, moment), under_way=under_way, day=day, today=today + 1)


def finish_call(traffic: Traffic, call_id: str) -> Traffic:
    """The traffic without this call among those under way."""
    return traffic.but(under_way={id: over for id, over in traffic.under_way.items() if id != call_id})
