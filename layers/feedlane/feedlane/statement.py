"""Statements: which waiting lines go next, as one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from feedlane.feed import Feed, Gathering
from feedlane.problem import Problem
from feedlane.record import Record
from feedlane.transaction import Line
from feedlane.upstream import Statement

MOST_LINES = 1000
# How long a statement that is not full waits for the next full batch of messages, and how long for all of them.
LINGER = timedelta(seconds=2)
LONGEST_LINGER = timedelta(seconds=20)
# Xero takes 3,000,000 bytes; the rest is for what surrounds the lines.
MOST_BYTES = 2_990_000


class StatementState(StrEnum):
    POSTING = "POSTING"
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    REJECTED = "REJECTED"
    REFUSED = "REFUSED"


class StatementRecord(Record):
    """The intent of a statement: frozen before it is posted, and what became of it.

    `known_unsent` is True only while every answer so far said that nothing was taken; otherwise a refusal leaves the
    statement in doubt, and it is never cut again. `key_turn` rises when the same bytes need a new Idempotency-Key.
    `resolved_as` is what an operator said became of it, when Xero did not.
    """

    feed_id: str
    number: int
    first: int
    last: int
    state: StatementState = StatementState.POSTING
    parts: int = 1
    start_date: str = ""
    end_date: str = ""
    feed_connection_id: str = ""
    known_unsent: bool = False
    key_turn: int = 0
    attempts: int = 0
    upstream_id: str | None = None
    created: datetime
    posted_on: datetime | None = None
    ended_on: datetime | None = None
    problems: tuple[Problem, ...] = ()
    turn: int = 0
    stuck: bool = False
    resolved_as: str | None = None
    version: int = 0


@dataclass(frozen=True)
class Cut:
    """The next statement: lines `first` to `last` of the ledger."""

    statement: Statement
    first: int
    last: int


@dataclass(frozen=True)
class Wait:
    """The next line is dated in the organisation's future; it waits until that day."""

    until: str


def next_statement(
    feed: Feed, waiting: Sequence[Line], today: date, line_bytes: Callable[[Line], int]
) -> Cut | Wait | None:
    """The statement to send next, or why there is none.

    `waiting` are the feed's lines after `passed_through`, in order. A statement's balances must add up, so it ends
    before a gap or a line that is set aside; it ends before a line of the future, and at 1,000 lines or Xero's size.
    """
    if not waiting:
        return None
    first, never_sent = feed.passed_through + 1, feed.never_sent
    day = today.isoformat()
    if waiting[0].date > day:
        return Wait(waiting[0].date)
    taken: list[Line] = []
    size = 0
    for line in waiting[:MOST_LINES]:
        size += line_bytes(line) + 1
        if line.date > day or first + len(taken) in never_sent:
            break
        if taken and (size > MOST_BYTES or not _continues(taken[-1], line)):
            break
        taken.append(line)
    return Cut(statement_of(feed.feed_connection_id, taken), first, first + len(taken) - 1)


def gathering(feed: Feed, now: datetime, more_to_come: bool) -> Gathering | None:
    """What the feed gathers after an append, given whether more messages wait behind it."""
    if not more_to_come:
        return None
    before = feed.gathering
    goes_on = before is not None and now <= before.until
    return Gathering(since=before.since if before and goes_on else now, until=now + LINGER)


def gathers_until(feed: Feed, now: datetime) -> datetime | None:
    """Until when the feed's next statement waits for more lines; None: it goes now."""
    if feed.gathering is None or feed.waiting >= MOST_LINES:
        return None
    until = min(feed.gathering.until, feed.gathering.since + LONGEST_LINGER)
    return until if now < until else None


def is_gathering(feed: Feed, now: datetime) -> bool:
    return gathers_until(feed, now) is not None


def statement_of(feed_connection_id: str, lines: Sequence[Line]) -> Statement:
    """Opening balance: the first line's balance before it. Closing balance: the last line's."""
    return Statement(
        feed_connection_id=feed_connection_id,
        start_date=date.fromisoformat(lines[0].date),
        end_date=date.fromisoformat(lines[-1].date),
        start_balance=lines[0].balance - lines[0].amount,
        end_balance=lines[-1].balance,
        lines=tuple(lines),
    )


def _continues(before: Line, line: Line) -> bool:
    return before.balance + line.amount == line.balance
