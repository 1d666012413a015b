"""A feed's ledger and its statements as CSV, in parts that a function can answer."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from feedlane.clock import iso
from feedlane.errors import NotFound
from feedlane.feeds.feed import Feed
from feedlane.money import plain
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord
from feedlane.store.store import Store
from feedlane.web.portal.feeds.feed_lines import line_rows
from feedlane.web.portal.feeds.feeds import FeedRow
from feedlane.web.response import Response, download

# A function answers at most six megabytes, and a line has up to about a thousand characters.
LINES_MAX = 4_000
STATEMENTS_MAX = 2_000
_LEDGER = ("line", "id", "date", "amount", "balance", "description", "payee", "reference", "type", "outcome")
_STATEMENTS = (
    "number", "firstLine", "lastLine", "startDate", "endDate", "openingBalance", "closingBalance", "status",
    "statementId", "created", "posted", "ended", "problems",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    first: int
    last: int


@dataclass(frozen=True)
class Parts:
    """How the ledger and the statements of a feed are divided into files."""

    ledger: Sequence[Part] = ()
    statements: Sequence[Part] = ()


def parts(feed: Feed | None) -> Parts:
    if feed is None:
        return Parts()
    return Parts(_divided(feed.recorded_through, LINES_MAX), _divided(feed.statements, STATEMENTS_MAX))


def export(store: Store, row: FeedRow, what: str, first: str) -> Response:
    """The part that begins with number `first`, or the first part. Raises `NotFound`."""
    feed = row.feed
    divided = {"ledger": parts(feed).ledger, "statements": parts(feed).statements}.get(what, ())
    part = next((one for one in divided if first in ("", str(one.first))), None)
    if feed is None or part is None:
        raise NotFound("part of the export", first)
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{row.account.id}-{what}-{part.first}-{part.last}")
    if what == "ledger":
        return download(_ledger_csv(store, feed, bool(row.holds), part), "text/csv", f"{name}.csv")
    numbers = range(part.first, part.last + 1)
    return download(_statements_csv(statement_items.statements(store, feed.id, numbers)), "text/csv", f"{name}.csv")


def _divided(total: int, size: int) -> list[Part]:
    return [Part(first, min(first + size - 1, total)) for first in range(1, total + 1, size)]


def _ledger_csv(store: Store, feed: Feed, is_held: bool, part: Part) -> str:
    rows = reversed(line_rows(store, feed, is_held, part.first, part.last))
    return _csv(
        _LEDGER,
        (
            (
                row.number, _text(row.line.id), row.line.date, plain(row.line.amount), plain(row.line.balance),
                _text(row.line.description), _text(row.line.payee), _text(row.line.reference), row.line.type,
                row.outcome.name,
            )
            for row in rows
        ),
    )  # fmt: skip


def _statements_csv(statements: Iterable[StatementRecord]) -> str:
    return _csv(_STATEMENTS, map(_statement_cells, statements))


def _statement_cells(one: StatementRecord) -> Sequence[object]:
    opening, closing = (plain(sum) if sum is not None else "" for sum in (one.start_balance, one.end_balance))
    times = (iso(time) if time else "" for time in (one.created, one.posted_on, one.ended_on))
    problems = " ".join(problem.sentence for problem in one.problems)
    return (
        one.number, one.first, one.last, one.start_date, one.end_date, opening, closing, one.state,
        one.upstream_id or "", *times, _text(problems),
    )  # fmt: skip


def _text(text: str) -> str:
    """A program for tables would take a text that begins like this for a formula, and run it."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(heading)
    writer.writerows(rows)
    return file.getvalue()
