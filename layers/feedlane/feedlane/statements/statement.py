"""Statements: which waiting lines go next, as one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.feeds.upstream import STATEMENT_LINES_MAX, Statement
from feedlane.problem import Problem
from feedlane.record import Record

# Xero takes 3,000,000 bytes; the rest is for what surrounds the lines.
STATEMENT_BYTES_MAX = 2_990_000


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
class NextStatement:
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
) -> NextStatement | Wait | None:
    """The statement to send next, or why there is none.

    `waiting` are the feed's lines after `passed_through`, in order. A statement's balances must add up, so it ends
    before a gap or a line that is set aside; it ends before a line of the future, and at 1,000 lines or Xero's size.
    """
    if not waiting:
        return None
    first, never_sent = feed.passed_through + 1, feed.set_aside_sequences
    day = today.isoformat()
    if waiting[0].date > day:
        return Wait(waiting[0].date)
    taken: list[Line] = []
    size = 0
    for line in waiting[:STATEMENT_LINES_MAX]:
        size += line_bytes(line) + 1
        if line.date > day or first + len(taken) in never_sent:
            break
        if taken and (size > STATEMENT_BYTES_MAX or not _continues(taken[-1], line)):
            break
        taken.append(line)
    return NextStatement(build_statement(feed.feed_connection_id, taken), first, first + len(taken) - 1)


def build_statement(feed_connection_id: str, lines: Sequence[Line]) -> Statement:
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
