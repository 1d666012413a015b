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
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.feeds.upstream import STATEMENT_LINES_MAX, SearchPlace, Statement
from feedlane.problem import Problem
from feedlane.record import Record

# Xero accepts 3,000,000 bytes; the difference is for the JSON around the lines.
STATEMENT_BYTES_MAX = 2_990_000
# How long Xero may leave a statement without an end, or us without an answer about it, until a person is told.
STUCK_AFTER = timedelta(hours=24)


class StatementState(StrEnum):
    POSTING = "POSTING"
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    REJECTED = "REJECTED"
    REFUSED = "REFUSED"


class Doubt(StrEnum):
    """Why it is not known whether Xero has the lines of a statement."""

    NOT_ENDED = "notEnded"
    """Xero accepted it long ago and has not said how it ended."""
    DUPLICATE = "duplicate"
    """Xero says that it has every line already, but lists no statement that could have brought them."""
    LINES_MISSING = "linesMissing"
    """Xero delivered it with fewer lines than were sent."""
    NOT_CONFIRMED = "notConfirmed"
    """For a day, Xero has answered every post, or every search for the statement, with 500 or not at all."""


class StatementRecord(Record):
    """A statement's intent, frozen before it is posted, and what became of it.

    `known_unsent` is True only while every answer so far said that Xero did not take the statement. Otherwise a refusal
    leaves it in doubt, and it is never cut again. `key_turn` rises when the same bytes need a new Idempotency-Key.
    `sent_date` is the latest day of this and all earlier statements, `start_balance` and `end_balance` what this one
    opens and closes with.
    `turn` counts the polls.

    `attempts` counts the posts. `outages` counts the answers of an outage to posts and polls, and `failures` those that
    left it open whether Xero has the statement: each cause has waits of its own. `in_doubt_since` is when the first of
    those came.

    `known_lines`: Xero said that it has every line already, in a statement that is looked for in its list and not yet
    found. `search` is where that stopped. `unlisted_since` is when the first search began of those that did not find
    it, with no post since that may have arrived; `again` is when to look, or to post, again. `rejected_ids` are Xero's
    ids of posts of this statement that were rejected as duplicates: they have none of the lines. `given_up_ids` are of
    posts that never ended, of which an operator says that they did not arrive: the list has them for ever.

    `stuck`: the platform was told of the `doubt`, and an operator may resolve it. `resolved_as` is how that was done.
    `lines_there` is how many lines Xero says it has, if some are missing. `recut`: an operator says that Xero does not
    have what it never confirmed. If Xero does not list it either, its lines are cut again, without those of `set_aside`
    (their numbers).
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
    start_balance: Decimal | None = None
    end_balance: Decimal | None = None
    feed_connection_id: str = ""
    known_unsent: bool = False
    key_turn: int = 0
    attempts: int = 0
    outages: int = 0
    failures: int = 0
    in_doubt_since: datetime | None = None
    upstream_id: str | None = None
    created: datetime
    posted_on: datetime | None = None
    ended_on: datetime | None = None
    problems: tuple[Problem, ...] = ()
    turn: int = 0
    known_lines: bool = False
    rejected_ids: tuple[str, ...] = ()
    given_up_ids: tuple[str, ...] = ()
    search: SearchPlace | None = None
    unlisted_since: datetime | None = None
    again: datetime | None = None
    stuck: bool = False
    doubt: Doubt | None = None
    lines_there: int | None = None
    resolved_as: str | None = None
    recut: bool = False
    set_aside: tuple[int, ...] = ()
    version: int = 0

    @property
    def line_count(self) -> int:
        return self.last - self.first + 1

    def found(self, **changes: Any) -> StatementRecord:
        """It is known what Xero has: nothing is searched for any more."""
        nothing_sought = {"known_lines": False, "search": None, "unlisted_since": None, "again": None}
        no_doubt = {"in_doubt_since": None, "outages": 0, "failures": 0, "stuck": False, "doubt": None}
        return self.but(**nothing_sought, **no_doubt, recut=False, set_aside=(), **changes)


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


def is_in_doubt(statement: StatementRecord, now: datetime) -> bool:
    """Whether an operator may have to resolve it: something speaks against it, or Xero has not ended it for a day."""
    is_old = statement.posted_on is not None and now - statement.posted_on > STUCK_AFTER
    return is_old or statement.doubt is not None


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
    an earlier date (a backfill begins there), and at 1,000 lines or Xero's size; earlier where a line is suspected
    (`Feed.suspect_through`).

    With `synthetic_balances`, a gap ends nothing: the statement opens with the closing balance of the one before it, or
    with what the first line's own balance says, and adds up its amounts.

    Lines that Xero may know from an earlier statement are never mixed with new ones: it would take the new ones, drop
    those that it knows, and call that delivered.
    """
    if not waiting:
        return None
    first = feed.passed_through(never_sent) + 1
    day = today.isoformat()
    if waiting[0].date > day:
        return Wait(waiting[0].date)
    included: list[Line] = []
    size = 0
    for line in waiting[: _lines_max(feed, first)]:
        size += line_bytes(line) + 1
        if line.date > day or first + len(included) in never_sent:
            break
        if included and (size > STATEMENT_BYTES_MAX or not _continues(included[-1], line, synthetic_balances)):
            break
        included.append(line)
    if first <= feed.tried_through and feed.id_turn:
        included = [line.with_id_turn(feed.id_turn) for line in included]
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


def _lines_max(feed: Feed, first: int) -> int:
    """How many lines a statement may have from line `first` on.

    Half of those that were refused together: after each answer, half as many are left to find the one that is to blame.
    And lines that Xero may know go without new ones.
    """
    suspects, may_be_known = feed.suspect_through - first + 1, feed.tried_through - first + 1
    if suspects > 0:
        return max(1, suspects // 2)
    return min(STATEMENT_LINES_MAX, may_be_known) if may_be_known > 0 else STATEMENT_LINES_MAX


def _continues(previous: Line, line: Line, synthetic_balances: bool) -> bool:
    """Whether both may be in one statement. A backfill that begins, an earlier date, may not."""
    return line.date >= previous.date and (synthetic_balances or previous.balance + line.amount == line.balance)
