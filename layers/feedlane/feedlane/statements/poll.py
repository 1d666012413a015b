"""What the followers of statements and of feed connections share: when to poll, and what a refused poll stops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Refusal
from feedlane.holds import placement
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX
from feedlane.statements.gate import Gate, gate_keys
from feedlane.statements.limits import Lane
from feedlane.statements.waits import not_before, wait_keys
from feedlane.store.read_ahead import with_read_ahead

FIRST_CHECK_SECONDS = 1


@contextmanager
def wait_before_call(ports: Ports, feed: Feed) -> Iterator[float | None]:
    """Yields the seconds to wait, or None if a call may go now. It then counts as in progress until the block ends."""
    now = ports.clock()
    waits = wait_keys(feed, Lane.LOOKS)
    ahead = with_read_ahead(ports.store, {*waits, *gate_keys(feed, Lane.LOOKS)})
    until = not_before(ahead, waits)
    if until is not None and until > now:
        yield (until - now).total_seconds()
        return
    gate, call_id = Gate(ports), ports.new_id()
    wait_seconds = gate.enter(feed, Lane.LOOKS, call_id, ahead)
    if wait_seconds is not None:
        yield wait_seconds
        return
    try:
        yield None
    finally:
        gate.leave(feed.tenant_id, call_id)


def postponed_seconds(wait_seconds: float) -> int:
    """The delay of a poll that may go after this wait. A longer wait takes several delays, one after the other."""
    return max(1, min(DELAY_SECONDS_MAX, int(wait_seconds) + 1))


def delay_seconds(turn: int) -> int:
    """The delay of the poll that follows poll number `turn`: doubled each time, at most the longest SQS allows."""
    delay: int = min(DELAY_SECONDS_MAX, 2 ** min(turn, 10))
    return delay


def time_before(turn: int) -> timedelta:
    """From the post of a statement to poll number `turn`, if no poll had to wait."""
    return timedelta(seconds=FIRST_CHECK_SECONDS + sum(map(delay_seconds, range(turn))))


def hold_refused(ports: Ports, feed: Feed, refusal: Refusal, now: datetime, by_mapping: bool = False) -> None:
    """The upstream refuses to answer the poll: holds what the refusal stops. What is polled stays as it is.

    `by_mapping`: a feed connection was polled; that it becomes active lifts the hold. What is deleted is not held.
    """
    if placement.is_deleted(ports.store, feed, refusal.scope):
        return
    company = company_items.company(ports.store, feed.company_id)
    hold = placement.hold_feed(ports, feed, refusal, company, now, by_mapping=by_mapping)
    placement.fail_behind_flight(ports, feed.id, hold, company, now)
