"""Xero's rate limits, observed before calling: whether a call may go now, or when. Pure.

Xero counts calls per tenant (60 a minute, 5 at once, a daily limit) and, for statements, per app (180 in any 60
seconds). All function instances share one count (`gate.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.record import Record

MINUTE = timedelta(seconds=60)
# A call that never reported its end counts as over after this time, which is longer than any call may take.
CALL_DURATION_MAX = timedelta(seconds=65)
WAIT_SECONDS_MIN = 1
DAY_FULL_WAIT_SECONDS = 3600


@dataclass(frozen=True)
class Limits:
    """How many calls are allowed in any 60 seconds, at once, and in a day (UTC). None: no such limit."""

    per_minute: int
    concurrent: int | None = None
    per_day: int | None = None


# Calls per minute are a little below Xero's 60 and 180: Link and the API, on which people wait, need some too.
TENANT_LIMITS = Limits(per_minute=55, concurrent=5)
APP_STATEMENT_LIMITS = Limits(per_minute=175)
DAILY_CALLS_RESERVED = 100


def tenant_limits(daily_limit: int) -> Limits:
    """The limits for calls about a tenant's statements. `daily_limit` is Xero's, which depends on the app's tier."""
    return replace(TENANT_LIMITS, per_day=daily_limit - DAILY_CALLS_RESERVED)


class Traffic(Record):
    """Counted calls: the last minute's (ISO times), those in progress (id: when it counts as over), and the day's.

    `told` is the last day for which an event said that the daily limit was reached.
    """

    recent: tuple[str, ...] = ()
    under_way: dict[str, str] = {}
    day: str = ""
    today: int = 0
    told: str = ""
    version: int = 0


@dataclass(frozen=True)
class RateLimited:
    """No call is allowed for so many seconds. `day_is_full`: none before tomorrow (UTC)."""

    seconds: int
    day_is_full: bool = False


def admit(traffic: Traffic, limits: Limits, now: datetime, call_id: str) -> Traffic | RateLimited:
    """The traffic with this call counted, or how long the call has to wait."""
    time_now, minute_ago, day = iso(now), iso(now - MINUTE), iso(now)[:10]
    recent = tuple(time for time in traffic.recent if time > minute_ago)
    under_way = {id: over for id, over in traffic.under_way.items() if over > time_now}
    today = traffic.today if traffic.day == day else 0
    if limits.per_day is not None and today >= limits.per_day:
        return RateLimited(DAY_FULL_WAIT_SECONDS, day_is_full=True)
    if limits.concurrent is not None and len(under_way) >= limits.concurrent:
        return RateLimited(WAIT_SECONDS_MIN)
    if len(recent) >= limits.per_minute:
        # There is room when the call `per_minute` places back has left the window.
        room_at = datetime.fromisoformat(recent[-limits.per_minute]) + MINUTE
        return RateLimited(max(WAIT_SECONDS_MIN, int((room_at - now).total_seconds()) + 1))
    if limits.concurrent is not None:
        under_way[call_id] = iso(now + CALL_DURATION_MAX)
    return traffic.but(recent=(*recent, time_now), under_way=under_way, day=day, today=today + 1)


def finish_call(traffic: Traffic, call_id: str) -> Traffic:
    """The traffic with this call no longer in progress."""
    return traffic.but(under_way={id: over for id, over in traffic.under_way.items() if id != call_id})
