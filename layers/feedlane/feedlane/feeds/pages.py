"""All feeds of the app, page by page: however many there are, a page is processed in a few seconds."""

from __future__ import annotations

from typing import NamedTuple

from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.ids import feed_id
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Index

# Connections are read one by one, and something is written or sent for each feed: a page takes about a tenth of a
# function's time.
CONNECTIONS_PER_PAGE_MAX = 100
FEEDS_PER_PAGE_MAX = 300


class FeedPage(NamedTuple):
    """`resume_after` is the connection after which the next page starts; None on the last page."""

    feeds: list[Feed]
    resume_after: str | None = None


def feed_page(store: Store, after: str = "") -> FeedPage:
    """The feeds of the next connections after the connection `after`, in the order of the connections' ids."""
    # No id is the prefix of another one: all have the same length.
    start = f"{after}!" if after else None
    items = store.table.query(keys.CONNECTIONS, start=start, limit=CONNECTIONS_PER_PAGE_MAX, index=Index.LISTS)
    connection_ids = [item["id"] for item in items]
    feed_ids: list[str] = []
    for number, id in enumerate(connection_ids, 1):
        feed_ids += [feed_id(id, account.id) for account in company_items.source_accounts(store, id)]
        has_more = number < len(connection_ids) or number == CONNECTIONS_PER_PAGE_MAX
        if has_more and (number == CONNECTIONS_PER_PAGE_MAX or len(feed_ids) >= FEEDS_PER_PAGE_MAX):
            return FeedPage(feed_items.find_feeds(store, feed_ids), id)
    return FeedPage(feed_items.find_feeds(store, feed_ids))
