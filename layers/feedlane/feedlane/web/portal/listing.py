"""A page of a list: at most 25 rows, from a bounded number of reads, with its filter and its place in the address."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

from feedlane.doors import place_in
from feedlane.store.store import Store
from feedlane.store.table import Index, Item
from feedlane.web.request import Request

PAGE_SIZE = 25
# A filter that fits few items is looked for in so many. Then the page offers to go on.
READ_MAX = 1_000
_CHUNK = 100
_DIGITS_MAX = 12
R = TypeVar("R")


@dataclass(frozen=True)
class ListQuery:
    """What an address says of a list: its filters, its order (`sort`; empty: the usual one), and the place (`after` or
    `before`) of the page."""

    path: str
    filters: Mapping[str, str]
    after: str = ""
    before: str = ""
    sort: str = ""

    def __getitem__(self, name: str) -> str:
        """The filter with this name; empty if it is not set."""
        return self.filters[name]

    @property
    def is_filtered(self) -> bool:
        return any(self.filters.values())

    def url(self, **place: str) -> str:
        """The address of another page of the list, with the same filters."""
        query = {name: value for name, value in {**self.filters, "sort": self.sort, **place}.items() if value}
        return quote(self.path) + (f"?{urlencode(query)}" if query else "")


@dataclass(frozen=True)
class Page(Generic[R]):
    """`is_cut`: the filter has been tried on as many items as one page reads, and there are more."""

    query: ListQuery
    rows: Sequence[R]
    previous_url: str
    next_url: str
    is_cut: bool = False
    total: int | None = None
    """How many there are in all, where that is known."""
    place: str = ""
    """Which rows these are, where they are numbered: `26 to 50 of 1,000`."""

    @property
    def count_text(self) -> str:
        """How many rows there are: `3`, `25 of 1,000`, or `25+`."""
        if self.place:
            return self.place
        shown, has_others = len(self.rows), bool(self.previous_url or self.next_url)
        if self.total is not None and not self.query.is_filtered:
            return f"{shown:,} of {self.total:,}" if has_others else f"{shown:,}"
        return f"{shown:,}+" if has_others else f"{shown:,}"


def list_query(request: Request, *filters: str, sorts: Collection[str] = ()) -> ListQuery:
    """`sorts` are the orders that the list knows besides its usual one.

    Raises `Invalid` for a place that can be none of ours.
    """
    after, before = (request.query.get(name, "") for name in ("after", "before"))
    return ListQuery(
        request.path,
        {name: request.query.get(name, "").strip() for name in filters},
        place_in("after", after) if after else "",
        place_in("before", before) if before and not after else "",
        request.query.get("sort", "") if request.query.get("sort") in sorts else "",
    )


def number_in(request: Request, name: str, otherwise: int) -> int:
    """A number that the address has, from 1 to a million million; `otherwise` if it has none."""
    text = request.query.get(name, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
    return int(text) or otherwise if is_number else otherwise


def numbered_page(query: ListQuery, rows: Sequence[R], start: int, total: int) -> Page[R]:
    """A page of a list of which any part can be read: `rows` begin with number `start` (0 is the first)."""
    previous = query.url(start=str(max(0, start - PAGE_SIZE)) if start > PAGE_SIZE else "")
    end = start + len(rows)
    return Page(
        query,
        rows,
        previous_url=previous if start else "",
        next_url=query.url(start=str(end)) if end < total else "",
        total=total,
        place=f"{start + 1:,} to {end:,} of {total:,}" if total > PAGE_SIZE else "",
    )


def read_page(
    store: Store,
    query: ListQuery,
    partition: str,
    rows_of: Callable[[list[Item]], list[R]],
    is_wanted: Callable[[R], bool] | None = None,
    newest_first: bool = False,
    total: int | None = None,
) -> Page[R]:
    """A page of the list that the index has in this partition. `rows_of` makes one row of each item, in their order:
    it reads what belongs to them all at once, not row by row. `is_wanted` is the filter."""
    is_backwards = bool(query.before)
    items = _items(store, query, partition, newest_first != is_backwards, is_wanted is None)
    found, last_read = _find(items, rows_of, is_wanted)
    rows, has_more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    edge = rows[-1][0] if has_more else last_read
    if is_backwards:
        rows.reverse()
    before, after = (edge, query.before) if is_backwards else (query.after, edge)
    # On the way back, what is shown ends where the page before began.
    first, last = (edge, rows[-1][0] if rows else after) if is_backwards else (rows[0][0] if rows else before, edge)
    return Page(
        query,
        [row for _, row in rows],
        previous_url=query.url(before=first) if before else "",
        next_url=query.url(after=last) if after else "",
        is_cut=bool(last_read) and not has_more,
        total=total,
    )


def page_of(query: ListQuery, rows: Sequence[R], total: int | None = None) -> Page[R]:
    """A page of rows that are all in memory: of a list that has a maximum. Its places are their numbers."""
    start = int(query.after) if query.after.isdecimal() else 0
    before, end = max(0, start - PAGE_SIZE), start + PAGE_SIZE
    return Page(
        query,
        rows[start:end],
        previous_url=(query.url(after=str(before)) if before else query.url()) if start else "",
        next_url=query.url(after=str(end)) if len(rows) > end else "",
        total=total,
    )


def _find(
    items: Iterator[Item], rows_of: Callable[[list[Item]], list[R]], is_wanted: Callable[[R], bool] | None
) -> tuple[list[tuple[str, R]], str]:
    """Up to one row more than a page has, each with its place; and the last place read, if the list goes on there."""
    found: list[tuple[str, R]] = []
    _, place_name = Index.LISTS.keys
    size = PAGE_SIZE + 1 if is_wanted is None else _CHUNK
    for _ in range(READ_MAX // _CHUNK):
        chunk = list(islice(items, size))
        rows = zip((item[place_name] for item in chunk), rows_of(chunk), strict=True)
        found += [(place, row) for place, row in rows if is_wanted is None or is_wanted(row)]
        if len(found) > PAGE_SIZE:
            return found[: PAGE_SIZE + 1], ""
        if len(chunk) < size:
            return found, ""
    return found, chunk[-1][place_name]


def _items(store: Store, query: ListQuery, partition: str, is_reverse: bool, is_short: bool) -> Iterator[Item]:
    """The items behind the query's place, in the order of reading."""
    place, (_, place_name) = query.before or query.after, Index.LISTS.keys
    start, end = (None, place or None) if is_reverse else (place or None, None)
    limit = PAGE_SIZE + 2 if is_short else READ_MAX + 1
    items: Iterable[Item] = store.table.query(
        partition, start=start, end=end, reverse=is_reverse, limit=limit, index=Index.LISTS
    )
    return (item for item in items if item[place_name] != place)
