"""Appending: pushes of one feed become ledger lines, grouped into as few commits as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from feedlane.companies.company import Company
from feedlane.errors import Finding
from feedlane.events.outbox import put_event
from feedlane.feeds import events as feed_events
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items, set_aside_items
from feedlane.feeds.feed import Feed, SetAside
from feedlane.feeds.ledger import (
    Addition,
    RecordedTransaction,
    RejectedPush,
    append,
    delivered_after,
    feed_after,
    lines_before_start,
)
from feedlane.feeds.line import Line, text_length
from feedlane.feeds.push_operation import Door, PushStatus
from feedlane.feeds.push_operation_end import end_writes, failed_by
from feedlane.holds.hold import Hold
from feedlane.holds.items import still_standing
from feedlane.ports import Ports
from feedlane.pushes.queue_door import Push
from feedlane.store.due import next_look
from feedlane.store.store import Store
from feedlane.store.table import WRITES_PER_COMMIT_MAX, Put, Write

BATCH_LINES_MAX = 2000
# A commit has at most a hundred writes; the pages of so many lines may take about fifteen of them.
BATCH_WRITES_MAX = 80
# A commit has at most four megabytes. A character of the text that compresses worst takes two and a quarter bytes.
BATCH_BYTES_MAX = 3_500_000
BYTES_PER_CHARACTER = 2.25
# The ids of so few lines go into the commit itself: this saves two requests, and costs one more write unit per id.
IDS_IN_COMMIT_MAX = 25
# If every balance is wrong, an event for each line would add nothing and would not fit into a commit.
GAP_EVENTS_MAX = 20


@dataclass(frozen=True)
class AppendContext:
    """What applies to all pushes of a batch: the holds that stand, and whether a gap in the balances is an error."""

    company: Company
    holds: Sequence[Hold]
    gap_is_error: bool
    now: datetime


def append_all(
    ports: Ports, feed: Feed, recorded: dict[str, RecordedTransaction], pushes: Sequence[Push], context: AppendContext
) -> Feed:
    """Appends the pushes to the feed in their order, in as few commits as possible. Returns the feed after them.

    Raises `ConditionFailed` if the feed has changed since it was read: the pushes must be read again.
    """
    batch = _Batch(feed=feed, recorded=recorded, writes=[], lines=[])
    for push in pushes:
        if push.is_done:
            continue
        extended = _add_push(ports, batch, push, context)
        if batch.writes and extended.is_too_full:
            batch = replace(
                batch, feed=_commit(ports.store, batch, context.now), writes=[], lines=[], bytes=0, hold=None
            )
            extended = _add_push(ports, batch, push, context)
        batch = extended
    return _commit(ports.store, batch, context.now)


def refuse_all(ports: Ports, pushes: Sequence[Push], reason: Finding, company: Company, now: datetime) -> None:
    """Fails all pushes, each in its own commit: they need no order, as there is no feed."""
    for push in pushes:
        if not push.is_done:
            ports.store.commit(*_refusal_writes(ports, push, (*push.errors, reason), company, now))


@dataclass(frozen=True)
class _Batch:
    """One commit: the feed as it was read, the lines to add, and the other writes.

    `bytes` is their estimated size. `hold` is the hold that fails operations of the batch, a condition of the commit.
    """

    feed: Feed
    recorded: dict[str, RecordedTransaction]
    writes: list[Write]
    lines: list[Line]
    bytes: int = 0
    hold: Hold | None = None

    @property
    def is_too_full(self) -> bool:
        too_many = len(self.lines) > BATCH_LINES_MAX or len(self.writes) > BATCH_WRITES_MAX
        return too_many or self.bytes > BATCH_BYTES_MAX


def _add_push(ports: Ports, batch: _Batch, push: Push, context: AppendContext) -> _Batch:
    """The batch with one more push: its lines and its operation, or its failed operation."""
    company, holds, now = context.company, context.holds, context.now
    after = batch.feed.but(recorded_through=batch.feed.recorded_through + len(batch.lines))
    if batch.lines:
        after = after.but(recorded_date=batch.lines[-1].date, recorded_balance=batch.lines[-1].balance)
    outcome: Addition | RejectedPush = (
        RejectedPush(push.errors) if push.errors else append(after, push.lines, batch.recorded, context.gap_is_error)
    )
    if isinstance(outcome, RejectedPush):
        refusal = _refusal_writes(ports, push, outcome.errors, company, now)
        size = push_operation_items.estimated_bytes(push.operation.but(errors=outcome.errors)) + _bytes(push.lines)
        return replace(batch, writes=batch.writes + refusal, bytes=batch.bytes + size)
    operation = push.operation.but(warnings=(*push.operation.warnings, *outcome.warnings), through=outcome.through)
    operation = operation.but(lines=len(outcome.lines))
    early = lines_before_start(batch.feed, outcome.lines)
    writes: list[Write] = [
        put_event(feed_events.gap_found(ports, after, gap, company, now)) for gap in outcome.gaps[:GAP_EVENTS_MAX]
    ]
    if operation.status is PushStatus.TIMED_OUT:
        writes.append(push_operation_items.put_operation(operation))
    elif outcome.through <= delivered_after(batch.feed, [*batch.lines, *outcome.lines]):
        writes += end_writes(ports, operation.succeeded(now), company, now)
    elif holds:
        writes += end_writes(ports, failed_by(operation, holds[0].problem, now), company, now)
        batch = replace(batch, hold=holds[0])
    else:
        writes += [
            push_operation_items.put_operation(operation),
            push_operation_items.add_open_operation(after.id, operation),
        ]
    return replace(
        batch,
        recorded=batch.recorded | outcome.ids,
        writes=batch.writes + writes,
        lines=batch.lines + list(outcome.lines),
        bytes=batch.bytes + push_operation_items.estimated_bytes(operation) + _bytes(outcome.lines) + _bytes(early),
    )


def _set_aside_pages(feed: Feed, lines: Sequence[Line], now: datetime) -> list[Put]:
    """The pages with those of the lines to add that are dated before the feed's start."""
    early = enumerate(lines_before_start(feed, lines), feed.recorded_through + 1)
    aside = [SetAside(sequence=number, transaction_id=line.id, on=now) for number, line in early]
    return set_aside_items.add_set_aside(feed.id, aside)


def _bytes(lines: Sequence[Line]) -> int:
    return int(BYTES_PER_CHARACTER * sum(map(text_length, lines)))


def _commit(store: Store, batch: _Batch, now: datetime) -> Feed:
    """Writes the batch. A few ids are indexed in its commit; many are indexed after it, or by the next lookup."""
    feed = batch.feed
    if not batch.writes:
        return feed
    conditions: list[Write] = [still_standing(batch.hold)] if batch.hold else []
    if not batch.lines:
        # Recorded lines may be delivered at the same time. Whoever delivers them ends the operations that it has read:
        # without a new version, it would miss these, and they could wait for ever.
        store.commit(feed_items.put_feed(feed), *conditions, *batch.writes)
        return feed.but(version=feed.version + 1)
    first = feed.recorded_through + 1
    after = feed_after(feed, Addition(tuple(batch.lines), 0, (), ()))
    after = after.but(look=feed.look or (next_look(now) if after.waiting else None))
    pages = [*feed_items.add_lines(feed.id, first, batch.lines), *_set_aside_pages(feed, batch.lines, now)]
    writes = [feed_items.put_feed(after), *conditions, *pages, *batch.writes]
    if len(batch.lines) <= min(IDS_IN_COMMIT_MAX, WRITES_PER_COMMIT_MAX - 1 - len(writes)):
        store.commit(*writes, *feed_items.add_ids(feed.id, first, batch.lines))
    else:
        store.commit(*writes)
        feed_items.index_lines(store, feed.id, first, batch.lines)
    return after.but(version=feed.version + 1)


def _refusal_writes(
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
