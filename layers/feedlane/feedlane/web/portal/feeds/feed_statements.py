"""The statements of a feed, on its page."""

from __future__ import annotations

from feedlane.feeds.feed import Feed
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord
from feedlane.store.store import Store
from feedlane.web.portal.listing import PAGE_SIZE, ListQuery, Page, number_in
from feedlane.web.request import Request

# As many items as one request to the table reads.
LATEST_MAX = 100


def latest(store: Store, feed: Feed) -> list[StatementRecord]:
    """The latest statements, the last one first."""
    return statement_items.statements(store, feed.id, range(feed.statements, max(0, feed.statements - LATEST_MAX), -1))


def read(store: Store, request: Request, feed: Feed | None) -> Page[StatementRecord]:
    """A page of them, the last one first. Statements are numbered, so a page is found by its number."""
    total = feed.statements if feed else 0
    top = min(number_in(request, "top", total), total)
    query = ListQuery(request.path, {"show": "statements"})
    numbers = range(top, max(0, top - PAGE_SIZE), -1)
    rows = statement_items.statements(store, feed.id, numbers) if feed else []
    return Page(
        query,
        rows,
        previous_url=query.url(top=str(top + PAGE_SIZE)) if top < total else "",
        next_url=query.url(top=str(top - PAGE_SIZE)) if top > PAGE_SIZE else "",
        place=f"{numbers.stop + 1:,} to {top:,} of {total:,}" if total > PAGE_SIZE else "",
    )
