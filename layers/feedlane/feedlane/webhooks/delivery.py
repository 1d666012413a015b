"""A delivery: one event on its way to one consumer, with its attempts and its retry schedule. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from feedlane.events.event import Event
from feedlane.record import Record

# Seconds before each attempt, counted from the previous failure. The schedule of Codat and Svix.
RETRY_SCHEDULE_SECONDS = (0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000)
JITTER = 0.2
# After a time-out or one of these statuses, the consumer gets at least a minute before the next attempt.
OVERLOAD_STATUSES = frozenset({429, 502, 504})
OVERLOAD_PAUSE_SECONDS = 60
# A consumer this slow, even if it succeeds, gets one delivery at a time: otherwise it would occupy all workers.
SLOW_ANSWER_SECONDS = 5
# Longer than an attempt and its record can take: the worker of an older claim has crashed.
CLAIM_LIFETIME = timedelta(seconds=30)
STATUS_GONE = 410
ATTEMPTS_KEPT_MAX = 40


class DeliveryState(StrEnum):
    SENDING = "Sending"
    """At the start of its schedule: no attempt yet, or restarted by a replay."""
    ATTEMPTING = "Attempting"
    """Failed so far; the next attempt is due."""
    WAITING = "Waiting"
    """Its consumer is disabled; it is sent once that is enabled."""
    SUCCESS = "Success"
    FAILURE = "Failure"
    """All attempts are used."""


# Given up, between two attempts, or waiting for a disabled consumer: what a replay of failed deliveries sends.
NOT_ARRIVED = frozenset({DeliveryState.FAILURE, DeliveryState.ATTEMPTING, DeliveryState.WAITING})


class Answer(Record):
    """The outcome of a post: a status, or the kind of error (timeout, connection, dns, tls, protocol, blocked)."""

    status: int | None = None
    error: str | None = None
    excerpt: str = ""
    retry_after: int | None = None
    duration_ms: int = 0

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_overload(self) -> bool:
        return self.error == "timeout" or self.status in OVERLOAD_STATUSES

    @property
    def is_slow(self) -> bool:
        return self.duration_ms >= SLOW_ANSWER_SECONDS * 1000


class Attempt(Record):
    time: datetime
    status: int | None = None
    error: str | None = None
    duration_ms: int = 0
    excerpt: str = ""


class Delivery(Record):
    """`tries` counts the attempts of the current schedule and restarts with a replay.

    `attempts` keeps the latest ones, across all schedules.
    """

    consumer_id: str
    event_id: str
    event_type: str
    event_subject: str
    event_time: datetime
    company_id: str | None = None
    state: DeliveryState = DeliveryState.SENDING
    due: datetime | None = None
    claimed_until: datetime | None = None
    tries: int = 0
    attempts: tuple[Attempt, ...] = ()
    version: int = 0

    @classmethod
    def of(cls, event: Event, consumer_id: str) -> Delivery:
        return cls(
            consumer_id=consumer_id,
            event_id=event.id,
            event_type=event.type,
            event_subject=event.subject,
            event_time=event.time,
            company_id=event.company_id,
        )

    @property
    def has_ended(self) -> bool:
        return self.state in {DeliveryState.SUCCESS, DeliveryState.FAILURE}

    @property
    def is_under_way(self) -> bool:
        """Whether somebody must come back for it. One that waits for its consumer is sent when that is enabled."""
        return not self.has_ended and self.state is not DeliveryState.WAITING

    @property
    def not_before(self) -> datetime | None:
        """The earliest time of the next attempt: it is due then, and no claim is left. None: at any time."""
        return max((time for time in (self.due, self.claimed_until) if time), default=None)

    def log_facts(self) -> dict[str, Any]:
        """What the log says about the latest attempt. There must be one."""
        facts = self.attempts[-1].model_dump(include={"status", "error", "duration_ms"})
        return facts | self.model_dump(include={"consumer_id", "event_id", "event_type", "state", "tries"})

    def claimed(self, now: datetime) -> Delivery:
        """Once this is stored, its writer alone may post until the claim expires."""
        return self.but(claimed_until=now + CLAIM_LIFETIME)

    def waiting(self) -> Delivery:
        return self.but(state=DeliveryState.WAITING, claimed_until=None)

    def restarted(self) -> Delivery:
        """Due at once, at the start of the schedule: for a replay."""
        return self.but(state=DeliveryState.SENDING, due=None, claimed_until=None, tries=0)

    def after_attempt(self, answer: Answer, now: datetime, jitter: float) -> Delivery:
        """With the attempt recorded, and ended or due again. `jitter` is from -0.2 to 0.2."""
        attempt = Attempt(
            time=now,
            status=answer.status,
            error=answer.error,
            duration_ms=answer.duration_ms,
            excerpt=answer.excerpt,
        )
        attempted = self.but(
            attempts=(*self.attempts, attempt)[-ATTEMPTS_KEPT_MAX:],
            tries=self.tries + 1,
            claimed_until=None,
            due=None,
        )
        if answer.succeeded:
            return attempted.but(state=DeliveryState.SUCCESS)
        wait = retry_seconds(attempted.tries, answer, jitter)
        if wait is None:
            return attempted.but(state=DeliveryState.FAILURE)
        return attempted.but(state=DeliveryState.ATTEMPTING, due=now + timedelta(seconds=wait))


def retry_seconds(tries: int, answer: Answer, jitter: float) -> float | None:
    """Seconds to wait after this many attempts; None if the schedule is used up.

    `Retry-After` can double the wait at most and never shortens it: no consumer speeds up its retries or stops them.
    """
    if tries >= len(RETRY_SCHEDULE_SECONDS):
        return None
    wait = RETRY_SCHEDULE_SECONDS[tries] * (1 + jitter)
    if answer.is_overload:
        wait = max(wait, OVERLOAD_PAUSE_SECONDS * (1 + abs(jitter)))
    return min(max(wait, answer.retry_after or 0), 2 * wait)
