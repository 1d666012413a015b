"""Xero's rate limits, observed before calling: whether a call may go now, or what slot it gets. Pure.

Xero counts calls per tenant (60 a minute, 5 at once, a daily limit) and, for statements, per app (180 in any 60
seconds). All function instances share one count (`gate.py`).

A call that may not go now gets a slot: a time in one of three lanes, after all slots given in it and in those before.
A lane remembers only the time of its next slot. A call goes if the last minute's calls leave room, whatever slots were
given: slots keep the order and spread the asking, so that a slot that is never used only passes.

Calls for which a person waits take no slot. They go before all others, into what the others leave free.

A tenant whose calls time out is left alone for a while, which grows. Then one call at a time shows whether it answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from feedlane.clock import iso
from feedlane.record import Record

# Times are counted in hundredths of a second: whole numbers are what the table stores in the fewest bytes.
SECOND = 100
MINUTE = 60 * SECOND
# A call that never reported its end counts as over after this time, which is longer than any call may take.
CALL_DURATION_MAX = timedelta(seconds=65)
DAY_FULL_WAIT_SECONDS = 3600
# Messages are late by a second or two, some more than others. So slots are given a little slower than calls may go.
SLOTS_SHARE = 0.96
# Looks leave this much of every minute to posts, which come unannounced.
LOOKS_SHARE = 0.8
# How long a tenant is left alone after its first time-out; it doubles with each that follows.
QUIET_SECONDS_FIRST = 10
QUIET_SECONDS_MAX = 300
# While one call shows whether a tenant answers again, the others come after this time: by then it is known.
PROBE = 13 * SECOND


class Lane(IntEnum):
    """Where a call waits: posts, behind them looks, and before both those who could not go at their slot.

    A call that comes at its time and still may not go moves up one lane. So a look lets posts go first, but only once.
    """

    AGAIN = 0
    POSTS = 1
    LOOKS = 2


@dataclass(frozen=True)
class Limits:
    """How many calls are allowed in any 60 seconds, at once, and in a day (UTC). None: no such limit."""

    per_minute: int
    concurrent: int | None = None
    per_day: int | None = None

    def in_a_minute(self, lane: Lane) -> int:
        """With how many calls in the last minute one of this lane may no longer go."""
        return max(1, math.ceil(self.per_minute * LOOKS_SHARE)) if lane is Lane.LOOKS else self.per_minute


# Xero's own. Calls of Link and the API, on which people wait, keep to these.
XERO_TENANT_LIMITS = Limits(per_minute=60, concurrent=5)
# A little below Xero's 60, 5 and 180: what people wait for always finds some room.
TENANT_LIMITS = Limits(per_minute=55, concurrent=4)
APP_STATEMENT_LIMITS = Limits(per_minute=175)
DAILY_CALLS_RESERVED = 100


def tenant_limits(daily_limit: int) -> Limits:
    """The limits for calls about a tenant's statements. `daily_limit` is Xero's, which depends on the app's tier."""
    return replace(TENANT_LIMITS, per_day=daily_limit - DAILY_CALLS_RESERVED)


def limits_for_people(daily_limit: int) -> Limits:
    return replace(XERO_TENANT_LIMITS, per_day=daily_limit)


class Traffic(Record):
    """Counted calls: the last minute's, those in progress (id: when it counts as over), and the day's.

    `ages` are how long ago the last minute's calls were at the time `counted`, the oldest first. `next_slots` has the
    time of each lane's next slot. `told` is the last day for which an event said that the daily limit was reached.
    `hung` is how many calls in a row timed out, and `quiet_until` for how long the tenant is left alone because of it.
    """

    counted: int = 0
    ages: tuple[int, ...] = ()
    next_slots: tuple[int, int, int] = (0, 0, 0)
    under_way: dict[str, str] = {}
    day: str = ""
    today: int = 0
    told: str = ""
    hung: int = 0
    quiet_until: int = 0
    version: int = 0


@dataclass(frozen=True)
class Call:
    """A call that asks to go. `held` is the lane of its slot, if it has one and comes at its time."""

    id: str
    lane: Lane
    held: Lane | None = None


@dataclass(frozen=True)
class Slot:
    """The call has to come again at this time, in this lane. `traffic` has the slot given."""

    at: int
    lane: Lane
    traffic: Traffic


@dataclass(frozen=True)
class DayFull:
    """No call is allowed before tomorrow (UTC)."""


def goes_on(now: datetime) -> datetime:
    """When a call for which the day is full may be tried again: tomorrow, or in an hour, if the limit is raised."""
    tomorrow = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return min(now + timedelta(seconds=DAY_FULL_WAIT_SECONDS), tomorrow)


def ticks(at: datetime) -> int:
    return int(at.timestamp() * SECOND)


def moment(at: int) -> datetime:
    """A time at which `ticks` is certain to have come to `at`."""
    return datetime.fromtimestamp(at / SECOND, UTC) + timedelta(milliseconds=1)


def admit(traffic: Traffic, limits: Limits, now: datetime, call: Call) -> Traffic | Slot | DayFull:
    """The traffic with this call counted, or when the call may go instead."""
    current = _current(traffic, now)
    if limits.per_day is not None and current.today >= limits.per_day:
        return DayFull()
    if call.held is None:
        lane, ahead = call.lane, current.next_slots[: call.lane + 1]
    else:
        # Its slot is behind those given before it, so that only the lanes before its own still go first.
        lane, ahead = Lane(max(Lane.AGAIN, call.held - 1)), current.next_slots[: call.held]
    if _room(current, limits, lane) <= current.counted and all(time <= current.counted for time in ahead):
        return _counted(current, limits, now, call.id)
    return _slot(current, limits, lane)


def admit_at_once(traffic: Traffic, limits: Limits, now: datetime, call_id: str | None) -> Traffic | float | DayFull:
    """The same without lanes: the traffic with this call counted, or in how many seconds there may be room for it.

    Without an id, the call belongs to one that is in progress already.
    """
    current = _current(traffic, now)
    if limits.per_day is not None and current.today >= limits.per_day:
        return DayFull()
    allowed = limits if call_id else replace(limits, concurrent=None)
    # Whoever waits for an answer asks a tenant that has timed out, too.
    room = _room(current.but(hung=0, quiet_until=0), allowed, Lane.AGAIN)
    if room > current.counted:
        return (room - current.counted) / SECOND
    return _counted(current, allowed, now, call_id or "")


def finish_call(traffic: Traffic, call_id: str, now: datetime, is_answered: bool | None = None) -> Traffic:
    """The traffic with this call no longer in progress. False: it timed out. None: it says nothing about the tenant."""
    after = traffic.but(under_way={id: over for id, over in traffic.under_way.items() if id != call_id})
    if is_answered is None:
        return after
    if is_answered:
        return after.but(hung=0, quiet_until=0)
    if ticks(now) < traffic.quiet_until:
        return after  # it went before the time-out that the tenant is left alone for
    seconds = min(QUIET_SECONDS_MAX, QUIET_SECONDS_FIRST * 2 ** min(traffic.hung, 10))
    return after.but(hung=traffic.hung + 1, quiet_until=ticks(now) + seconds * SECOND)


def _current(traffic: Traffic, now: datetime) -> Traffic:
    """The traffic as it is now: without what has passed."""
    time_now, day = iso(now), iso(now)[:10]
    passed = ticks(now) - traffic.counted
    return traffic.but(
        counted=ticks(now),
        ages=tuple(age + passed for age in traffic.ages if age + passed <= MINUTE),
        under_way={id: over for id, over in traffic.under_way.items() if over > time_now},
        day=day,
        today=traffic.today if traffic.day == day else 0,
    )


def _counted(current: Traffic, limits: Limits, now: datetime, call_id: str) -> Traffic:
    under_way = current.under_way
    if limits.concurrent is not None:
        under_way = under_way | {call_id: iso(now + CALL_DURATION_MAX)}
    return current.but(ages=(*current.ages, 0), under_way=under_way, today=current.today + 1)


def _room(current: Traffic, limits: Limits, lane: Lane) -> int:
    """When the counts have room for one more call of this lane: now, or later."""
    room, allowed = max(current.counted, current.quiet_until), limits.in_a_minute(lane)
    if len(current.ages) >= allowed:
        # When the call `allowed` places back has left the minute.
        room = max(room, current.counted + MINUTE + 1 - current.ages[-allowed])
    concurrent = 1 if limits.concurrent and current.hung else limits.concurrent
    if concurrent is not None and len(current.under_way) >= concurrent:
        room = max(room, current.counted + (PROBE if current.hung else SECOND))
    return room


def _slot(current: Traffic, limits: Limits, lane: Lane) -> Slot:
    """The lane's next slot."""
    at = max(_room(current, limits, lane), *current.next_slots[: lane + 1])
    following = list(current.next_slots)
    following[lane] = at + _pace(current, limits, lane)
    return Slot(at, lane, current.but(next_slots=tuple(following)))


def _pace(current: Traffic, limits: Limits, lane: Lane) -> int:
    """The time between a lane's slots."""
    allowed = limits.in_a_minute(lane)
    if limits.concurrent is not None and len(current.ages) < allowed:
        # Not the minute is full, but too many calls are in progress, and most take less than a second.
        return SECOND // limits.concurrent
    return math.ceil(MINUTE / (allowed * SLOTS_SHARE))
