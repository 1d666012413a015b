"""Sets lines of a held feed aside: they stay in its ledger, marked, and are never sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.errors import Conflict, Invalid
from feedlane.feeds import items as feed_items
from feedlane.feeds import set_aside_items
from feedlane.feeds.feed import Feed, SetAside
from feedlane.feeds.totals import waiting_change
from feedlane.holds import items as hold_items
from feedlane.ids import TRANSACTION_ID_LENGTH_MAX
from feedlane.ports import Ports
from feedlane.scope import Scope
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import Write

# At one time; there is no limit for a feed.
SET_ASIDE_MAX = 1000
# They may be anywhere in the ledger; a commit has at most a hundred writes.
PAGES_MAX = 80


def set_aside(ports: Ports, now: datetime, feed_id: str, ids: Sequence[str]) -> Feed:
    """Sets these lines aside and keeps the hold, so that any number can be set aside before the rest is sent.

    Raises `Conflict` if the feed has no hold of its own, or a statement in flight, and `Invalid`. May be repeated.
    """
    for attempt in attempts(f"feed {feed_id}", otherwise=Conflict("The feed is being changed; try again.")):
        feed = feed_items.find_feed(ports.store, feed_id)
        hold = hold_items.find_hold(ports.store, Scope.FEED, feed_id)
        if feed is None or hold is None:
            raise Conflict("The feed is not held by itself: only what a hold of the feed stops can be set aside.")
        marked, pages = mark(ports.store, feed, ids, now)
        with attempt:
            if pages:
                ports.store.commit(hold_items.still_standing(hold), feed_items.put_feed(marked), *pages)
    return feed_items.find_feed(ports.store, feed_id) or marked


def mark(store: Store, feed: Feed, ids: Sequence[str], now: datetime) -> tuple[Feed, list[Write]]:
    """The feed with these of its waiting lines set aside, and the pages that say which they are."""
    if feed.flight is not None:
        raise Conflict(
            "The feed has a statement in flight; wait until it has ended, or release the hold without setAside."
        )
    numbers = waiting_numbers(store, feed, ids)
    before = set_aside_items.set_aside_among(store, feed.id, min(numbers.values()), max(numbers.values()))
    lines = [
        SetAside(sequence=number, transaction_id=id, on=now)
        for id, number in sorted(numbers.items(), key=lambda pair: pair[1])
        if number not in before
    ]
    return with_lines_set_aside(feed, lines)


def with_lines_set_aside(feed: Feed, lines: Sequence[SetAside]) -> tuple[Feed, list[Write]]:
    """The feed with these lines set aside, which no one has set aside before, and the writes of their pages.

    If nothing is left to send, all lines are passed at once: no delivery will do that.
    """
    pages = set_aside_items.add_set_aside(feed.id, lines)
    if len(pages) > PAGES_MAX:
        message = "the transactions are too far apart in the ledger to be set aside at one time"
        raise Invalid.field("setAside", message, "MaximumCount")
    marked = feed.but(set_aside=feed.set_aside + len(lines), set_aside_ahead=feed.set_aside_ahead + len(lines))
    writes: list[Write] = [*pages, *waiting_change(feed, marked)]
    return marked if marked.waiting else marked.all_passed(), writes


def waiting_numbers(store: Store, feed: Feed, ids: Sequence[str]) -> dict[str, int]:
    """The numbers of these transactions' lines, all of which wait in the feed. Raises `Invalid` otherwise."""
    if len(ids) > SET_ASIDE_MAX:
        message = f"must have at most {SET_ASIDE_MAX} transactions; set the others aside before the release"
        raise Invalid.field("setAside", message, "MaximumCount")
    recorded = feed_items.recorded_ids(store, feed, [id for id in ids if len(id) <= TRANSACTION_ID_LENGTH_MAX])
    for id in ids:
        if id not in recorded or recorded[id].sequence <= feed.delivered_through:
            raise Invalid.field(f"setAside.{id}", "is not a transaction waiting in this feed", "Waiting")
    return {id: recorded[id].sequence for id in ids}
