"""Statements: which of a feed's waiting lines are sent next, together. Pure.

Several types describe a statement, each for one purpose:

- `upstream.Statement` is its content, and `upstream.StatementStatus` what the upstream says about it.
- `NextStatement` is content with its place in the ledger, before it is written down.
- `StatementRecord` is the frozen intent in the table, and `StatementState` what has become of it. It adds POSTING and
  REFUSED, which the upstream does not know.
- `feed.FlightStatus` is what the feed's head says about its statement in flight: POSTING or PENDING.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.feeds.upstream import STATEMENT_LINES_MAX, Statement
from feedlane.problem import Problem
from feedlane.record import Record

# Xero accepts 3,000,000 bytes; the difference is for the JSON around the lines.
STATEMENT_BYTES_MAX = 2_990_000


class StatementState(StrEnum):
    POSTING = "POSTING"
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    REJECTED = "REJECTED"
    REFUSED = "REFUSED"


class StatementRecord(Record):
    """A statement's intent, frozen before it is posted, and what became of it.

    `known_unsent` is True only while every answer so far said that Xero did not take the statement. Otherwise a refusal
    leaves it in doubt, and it is never cut again. `key_turn` rises when the same bytes need a new Idempotency-Key.
    `sent_date` is the latest day of this and all earlier statements, `end_balance` what this one closes with.
    `turn` counts the polls. `resolved_as` is how an operator resolved it, if Xero never ended it.
    """

    feed_id: str
    number: int
    first: int
    last: int
    state: StatementState = StatementState.POSTING
    parts: int = 1
    start_date: str = ""
    end_date: str = ""
    sent_date: str = ""
    end_balance: Decimal | None = None
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
    """The next line's date is in the future in the organisation's time zone: it waits until that day."""

    until: str


def next_statement(
    feed: Feed,
    waiting: Sequence[Line],
    today: date,
    line_bytes: Callable[[Line], int],
    never_sent: Collection[int] = frozenset(),
    synthetic_balances: bool = False,
) -> NextStatement | Wait | None:
    """The statement to send next. `Wait` if the first line is dated in the future, None if no line waits.

    `waiting` are the feed's lines after `passed_through`, in order; those of `never_sent` are set aside. A statement's
    balances must add up, so it ends before a gap or a line that is set aside. It also ends before a future line, before
    an earlier date (a backfill begins there), and at 1,000 lines or Xero's size.

    With `synthetic_balances`, a gap ends nothing: the statement opens with the closing balance of the one before it, or
    with what the first line's own balance says, and adds up its amounts.
    """
    if not waiting:
        return None
    first = feed.passed_through(never_sent) + 1
    day = today.isoformat()
    if waiting[0].date > day:
        return Wait(waiting[0].date)
    included: list[Line] = []
    size = 0
    for line in waiting[:STATEMENT_LINES_MAX]:
        size += line_bytes(line) + 1
        if line.date > day or first + len(included) in never_sent:
            break
        if included and (size > STATEMENT_BYTES_MAX or not _continues(included[-1], line, synthetic_balances)):
            break
        included.append(line)
    build = build_synthetic_statement if synthetic_balances else build_statement
    statement = build(feed.feed_connection_id, included, feed.closing_balance)
    return NextStatement(statement, first, first + len(included) - 1)


def build_statement(
    feed_connection_id: str, lines: Sequence[Line], closing_balance: Decimal | None = None
) -> Statement:
    """The opening balance is the balance before the first line; the closing balance is the last line's."""
    return _statement(feed_connection_id, lines, _balance_before(lines[0]), lines[-1].balance)


def build_synthetic_statement(
    feed_connection_id: str, lines: Sequence[Line], closing_balance: Decimal | None
) -> Statement:
    """`closing_balance` is that of the statement before; without one, the first line's own balance is the start."""
    start = _balance_before(lines[0]) if closing_balance is None else closing_balance
    return _statement(feed_connection_id, lines, start, sum((line.amount for line in lines), start))


def _statement(feed_connection_id: str, lines: Sequence[Line], start: Decimal, end: Decimal) -> Statement:
    return Statement(
        feed_connection_id=feed_connection_id,
        start_date=date.fromisoformat(lines[0].date),
        end_date=date.fromisoformat(lines[-1].date),
        start_balance=start,
        end_balance=end,
        lines=tuple(lines),
    )


def _balance_before(line: Line) -> Decimal:
    return line.balance - line.amount


def _continues(previous: Line, line: Line, synthetic_balances: bool) -> bool:
    """Whether both may be in one statement. A backfill that begins, an earlier date, may not."""
    return line.date >= previous.date and (synthetic_balances or previous.balance + line.amount == line.balance)
