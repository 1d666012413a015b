"""All feeds of the app, page by page: however many there are, a page is read and worked on in a few seconds."""

from __future__ import annotations

from typing import NamedTuple

from feedlane.feed import Feed, feed_id
from feedlane.store import keys, ledger
from feedlane.store.store import Store

# Connections are read one by one, and for each feed something is written or sent: a tenth of a function's time.
MOST_CONNECTIONS = 100
MOST_FEEDS = 300


class FeedPage(NamedTuple):
    """`resume_after` is the connection to go on behind; None behind the last."""

    feeds: list[Feed]
    resume_after: str | None = None


def page_of_all(store: Store, after: str = "") -> FeedPage:
    """The feeds of the next connections behind `after`, in the order of the connections' ids."""
    # An id is never the beginning of another one: all of them are as long.
    start = f"{after}!" if after else None
    listed = store.table.query(keys.CONNECTIONS, start=start, limit=MOST_CONNECTIONS, index=True)
    connection_ids = [item["id"] for item in listed]
    feed_ids: list[str] = []
    for number, id in enumerate(connection_ids, 1):
        feed_ids += [feed_id(id, account.id) for account in store.source_accounts(id)]
        has_more = number < len(connection_ids) or number == MOST_CONNECTIONS
        if has_more and (number == MOST_CONNECTIONS or len(feed_ids) >= MOST_FEEDS):
            return FeedPage(ledger.find_feeds(store, feed_ids), id)
    return FeedPage(ledger.find_feeds(store, feed_ids))
