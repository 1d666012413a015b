"""The lines of a feed's ledger with what has become of each, on its page: the latest first, searched by id or text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from feedlane.clock import is_date
from feedlane.doors import SEGMENT_BYTES_MAX
from feedlane.feeds import items as feed_items
from feedlane.feeds import set_aside_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.line import Line
from feedlane.money import plain
from feedlane.pushes.outcomes import TransactionStatus, status_of
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.web.portal.feeds.feeds import FeedRow
from feedlane.web.portal.listing import PAGE_SIZE, READ_MAX, ListQuery, Page, number_in
from feedlane.web.portal.states import State, Tone
from feedlane.web.request import Request

_LISTED = (
    State(TransactionStatus.WAITING, "waiting", Tone.WARN),
    State(TransactionStatus.HELD, "held", Tone.BAD),
    State(TransactionStatus.SENT, "sent", Tone.WARN),
    State(TransactionStatus.DELIVERED, "delivered", Tone.GOOD),
    State(TransactionStatus.DELIVERED_ELSEWHERE, "delivered to another account", Tone.WARN),
    State(TransactionStatus.SET_ASIDE, "set aside", Tone.PLAIN),
)
OUTCOMES = _LISTED
OUTCOME_STATES = {state.name: state for state in _LISTED} | {
    TransactionStatus.PENDING: State(TransactionStatus.PENDING, "not recorded yet", Tone.WARN),
    TransactionStatus.REFUSED: State(TransactionStatus.REFUSED, "not recorded", Tone.BAD),
}


@dataclass(frozen=True)
class LineRow:
    number: int
    line: Line
    outcome: State


def read(store: Store, request: Request, row: FeedRow) -> Page[LineRow]:
    """A page of lines. With a filter, it is tried on a bounded number of them, and the page offers to go on."""
    names = ("q", "from", "to", "outcome")
    filters = {name: request.query.get(name, "").strip() for name in names}
    query = ListQuery(request.path, {"show": "transactions"} | filters)
    feed = row.feed
    if feed is None or not feed.recorded_through:
        return Page(query, [], "", "")
    if not any(filters.values()):
        return _plain_page(store, request, row, feed, query)
    if number := _number_of(store, feed, filters["q"]):
        return Page(query, line_rows(store, feed, bool(row.holds), number, number), "", "")
    return _filtered_page(store, request, row, feed, query)


def line_rows(store: Store, feed: Feed, is_held: bool, first: int, last: int) -> list[LineRow]:
    """The lines from `first` to `last`, the last one first."""
    lines = feed_items.read_lines(store, feed.id, first, last - first + 1)
    aside = set_aside_items.set_aside_among(store, feed.id, first, last) if feed.set_aside else frozenset[int]()
    numbered = enumerate(lines, first)
    rows = [LineRow(at, line, OUTCOME_STATES[status_of(feed, at, is_held, aside)]) for at, line in numbered]
    return rows[::-1]


def _plain_page(store: Store, request: Request, row: FeedRow, feed: Feed, query: ListQuery) -> Page[LineRow]:
    total = feed.recorded_through
    top = min(number_in(request, "top", total), total)
    first = max(1, top - PAGE_SIZE + 1)
    return Page(
        query,
        line_rows(store, feed, bool(row.holds), first, top),
        previous_url=query.url(top=str(min(top + PAGE_SIZE, total))) if top < total else "",
        next_url=query.url(top=str(first - 1)) if first > 1 else "",
        place=f"{first:,} to {top:,} of {total:,}" if total > PAGE_SIZE else "",
    )


def _filtered_page(store: Store, request: Request, row: FeedRow, feed: Feed, query: ListQuery) -> Page[LineRow]:
    until = query["to"] if is_date(query["to"]) else ""
    top = min(number_in(request, "top", 0), feed.recorded_through) or _last_line_until(store, feed, until)
    if not top:
        return Page(query, [], "", "")
    first = max(1, top - READ_MAX + 1)
    rows = line_rows(store, feed, bool(row.holds), first, top)
    found = [one for one in rows if _is_wanted(one, query)]
    shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    edge = shown[-1].number - 1 if more else first - 1
    is_over = not more and _is_before(rows, query["from"])
    return Page(
        query,
        shown,
        previous_url="",
        next_url=query.url(top=str(edge)) if edge and not is_over else "",
        is_cut=bool(edge) and not more and not is_over,
    )


def _is_before(rows: Sequence[LineRow], start: str) -> bool:
    """Whether the lines have come to an earlier day, behind which the ledger has none that is wanted."""
    return bool(start) and rows[-1].line.date < start


def _is_wanted(row: LineRow, query: ListQuery) -> bool:
    line, wanted = row.line, query["q"].casefold()
    if not (query["from"] or line.date) <= line.date <= (query["to"] or line.date):
        return False
    if query["outcome"] not in ("", row.outcome.name):
        return False
    texts = (line.id, line.description, line.payee, line.reference, plain(line.amount))
    return any(wanted in text.casefold() for text in texts)


def _number_of(store: Store, feed: Feed, id: str) -> int:
    """The number of the line with this transaction id; 0 if there is none."""
    if not id or len(id.encode()) > SEGMENT_BYTES_MAX:
        return 0
    item = store.table.get(keys.transaction(feed.id, id))
    return int(item["seq"]) if item else 0


def _last_line_until(store: Store, feed: Feed, day: str) -> int:
    """The last line dated up to this day: found in as many reads as a number has bits. A backfill stands where it was
    recorded, so it may be behind that."""
    if not day or day >= feed.recorded_date:
        return feed.recorded_through
    numbers = range(1, feed.recorded_through + 1)
    return bisect_right(numbers, day, key=lambda number: feed_items.read_lines(store, feed.id, number, 1)[0].date)
