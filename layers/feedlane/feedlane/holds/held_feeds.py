"""Which feeds a hold stops (those of an app hold page by page), and how many transactions wait in them."""

from __future__ import annotations

from typing import NamedTuple

from feedlane.feeds import items as feed_items
from feedlane.feeds.pages import FeedPage, feed_page
from feedlane.holds.hold import Hold
from feedlane.scope import Scope
from feedlane.store.store import Store


class WaitingCount(NamedTuple):
    """How many recorded transactions wait. Not complete for an app with very many feeds: only a page is counted."""

    number: int
    is_complete: bool


def count_waiting(store: Store, hold: Hold) -> WaitingCount:
    page = feed_page_in_scope(store, hold.scope, hold.subject)
    return WaitingCount(sum(feed.waiting for feed in page.feeds), page.resume_after is None)


def feed_page_in_scope(store: Store, scope: Scope, subject: str, after: str = "") -> FeedPage:
    """The feed itself, all feeds of the connection or tenant, or the app's next ones after the connection `after`."""
    match scope:
        case Scope.FEED:
            return FeedPage(feed_items.find_feeds(store, [subject]))
        case Scope.CONNECTION:
            return FeedPage(feed_items.feeds_of_connection(store, subject))
        case Scope.TENANT:
            return FeedPage(feed_items.feeds_of_tenant(store, subject))
        case Scope.APP:
            page = feed_page(store, after)
            return page._replace(feeds=[feed for feed in page.feeds if feed.app_subject == subject])
