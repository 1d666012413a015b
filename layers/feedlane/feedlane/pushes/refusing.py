"""Refusing: a push that the ledger does not take fails, its transactions are kept, and its feed shows the hole."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from feedlane.companies.company import Company
from feedlane.errors import Finding
from feedlane.events.outbox import put_event
from feedlane.feeds import events as feed_events
from feedlane.feeds import hole_items, push_operation_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.hole import hole_of
from feedlane.feeds.ledger import RecordedTransaction
from feedlane.feeds.push_operation import Door, PushStatus
from feedlane.feeds.push_operation_end import end_writes
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.pushes.holes import REASON_REFUSED, open_holes, refusal_hold
from feedlane.pushes.queue_door import Push
from feedlane.store.table import Write


@dataclass(frozen=True)
class Refused:
    """What refuses a push: the feed after it, and the writes."""

    feed: Feed
    writes: list[Write]


def refuse(
    ports: Ports,
    feed: Feed,
    push: Push,
    errors: tuple[Finding, ...],
    known: Container[str],
    company: Company,
    now: datetime,
    is_hole_known: bool = False,
    holds_feed: bool = False,
    standing: Hold | None = None,
) -> Refused:
    """`known`: the ids that the feed has recorded. `holds_feed`: a hole holds the feed, unless `standing` does already.

    `is_hole_known`: it was to mend a hole, which stays as it is, and makes no second one.
    """
    writes = _failure_writes(ports, push, errors, company, now)
    missing = [line for line in push.lines if line.id not in known]
    hole = hole_of(push.operation, push.lines, missing, _error_message(errors))
    if hole is None or is_hole_known:
        return Refused(feed, writes)
    after = feed.but(holes=feed.holes + 1)
    writes.append(hole_items.add_hole(feed.id, hole))
    writes.append(put_event(feed_events.hole_found(ports, after, hole, company, now)))
    if not holds_feed:
        return Refused(after, writes)
    if standing is not None:
        return Refused(after.but(hole_to_hold=after.hole_to_hold or standing.reason != REASON_REFUSED), writes)
    hold = refusal_hold(feed, hole, now, ports.new_id())
    event = put_event(hold_events.held(ports, hold, feed.waiting, company, now))
    return Refused(after.but(hole_to_hold=False), [*writes, *hold_items.add_hold(hold), event])


def refuse_all(
    ports: Ports,
    feed: Feed | None,
    recorded: dict[str, RecordedTransaction],
    pushes: Sequence[Push],
    reason: Finding,
    company: Company,
    now: datetime,
) -> None:
    """Fails all pushes, each in its own commit. `feed` None: there is none, and so no holes either."""
    holes = open_holes(ports.store, feed, [push.operation for push in pushes]) if feed else {}
    for push in pushes:
        if push.is_done:
            continue
        errors = (*push.errors, reason)
        if feed is None:
            ports.store.commit(*_failure_writes(ports, push, errors, company, now))
            continue
        is_hole_known = push.operation.backfill in holes
        refused = refuse(ports, feed, push, errors, recorded, company, now, is_hole_known)
        head = [feed_items.put_feed(refused.feed)] if refused.feed != feed else []
        ports.store.commit(*head, *refused.writes)
        feed = refused.feed.but(version=refused.feed.version + len(head))


def _failure_writes(
    ports: Ports, push: Push, errors: tuple[Finding, ...], company: Company, now: datetime
) -> list[Write]:
    """Fails the operation and keeps its transactions. One that timed out has ended already: it only gets the errors."""
    if push.operation.status is PushStatus.TIMED_OUT:
        return [push_operation_items.put_operation(push.operation.but(errors=errors))]
    operation = push.operation.failed(now, _error_message(errors), errors=errors)
    if operation.door is not Door.QUEUE or not push.lines:
        return end_writes(ports, operation, company, now)
    lines = push_operation_items.add_pushed_lines(operation, push.lines)
    return [*end_writes(ports, operation, company, now), *lines]


def _error_message(errors: Sequence[Finding]) -> str:
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"The push was not recorded: {first.item_id} {first.message}{more}."
