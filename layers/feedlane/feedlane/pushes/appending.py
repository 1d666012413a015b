"""Appending: pushes of one feed become ledger lines, grouped into as few commits as possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from feedlane.companies.company import Company
from feedlane.errors import Finding
from feedlane.events.outbox import put_event
from feedlane.feeds import events as feed_events
from feedlane.feeds import gap_items, push_operation_items, set_aside_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, SetAside
from feedlane.feeds.hole import Hole
from feedlane.feeds.ledger import Addition, RecordedTransaction, RejectedPush, append, lines_before_start
from feedlane.feeds.line import Line, text_length
from feedlane.feeds.push_operation import PushStatus
from feedlane.feeds.push_operation_end import end_writes, failed_by
from feedlane.feeds.rules import Rules
from feedlane.feeds.totals import waiting_change
from feedlane.holds.hold import Hold
from feedlane.holds.items import still_standing
from feedlane.ports import Ports
from feedlane.pushes.holes import BEHIND_HOLE, NO_SUCH_HOLE, REASON_REFUSED, touched
from feedlane.pushes.queue_door import Push
from feedlane.pushes.refusing import refuse
from feedlane.scope import Scope
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
    """What applies to all pushes of a batch: the holds that stand, the rules of the ledger, and the feed's open holes.

    `refusal_holds`: a push that is refused holds the feed.
    """

    company: Company
    holds: Sequence[Hold]
    rules: Rules
    refusal_holds: bool
    holes: Mapping[str, Hole]
    now: datetime

    def is_closed(self, feed: Feed) -> bool:
        """Whether only backfills are taken: the feed has a hole, and is held, or is to be."""
        return self.refusal_holds and feed.holes > 0 and (feed.hole_to_hold or self.feed_hold is not None)

    @property
    def feed_hold(self) -> Hold | None:
        return next((hold for hold in self.holds if hold.scope is Scope.FEED), None)


@dataclass(frozen=True)
class Appended:
    """The feed after the pushes, with what it has recorded. `handled` of them are done, and `refused` by their keys."""

    feed: Feed
    recorded: dict[str, RecordedTransaction]
    handled: int
    refused: frozenset[str]


def append_all(
    ports: Ports, feed: Feed, recorded: dict[str, RecordedTransaction], pushes: Sequence[Push], context: AppendContext
) -> Appended:
    """Appends the pushes to the feed in their order, in as few commits as possible.

    Stops behind a push that leaves a hole, or may have mended one: that changes what applies to those after it. Raises
    `ConditionFailed` if the feed has changed since it was read: the pushes must be read again.
    """
    batch = _Batch(feed=feed, after=feed, recorded=recorded)
    handled = 0
    for push in pushes:
        handled += 1
        if not push.is_done:
            extended = _add_push(ports, batch, push, context)
            if batch.writes and extended.is_too_full:
                batch = batch.emptied(_commit(ports.store, batch, context.now))
                extended = _add_push(ports, batch, push, context)
            batch = extended
        if batch.after.holes > feed.holes or touched(push, context.holes.values()):
            break
    return Appended(_commit(ports.store, batch, context.now), batch.recorded, handled, batch.refused)


@dataclass(frozen=True)
class _Batch:
    """One commit: the feed as it was read and as it will be, the lines to add, and the other writes.

    `bytes` is their estimated size. `hold` is the hold that fails operations of the batch, a condition of the commit.
    """

    feed: Feed
    after: Feed
    recorded: dict[str, RecordedTransaction]
    writes: list[Write] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    bytes: int = 0
    hold: Hold | None = None
    refused: frozenset[str] = frozenset()

    def emptied(self, feed: Feed) -> _Batch:
        """The next batch, on the feed as the commit of this one left it."""
        return _Batch(feed=feed, after=feed, recorded=self.recorded, refused=self.refused)

    @property
    def is_too_full(self) -> bool:
        too_many = len(self.lines) > BATCH_LINES_MAX or len(self.writes) > BATCH_WRITES_MAX
        return too_many or self.bytes > BATCH_BYTES_MAX


def _add_push(ports: Ports, batch: _Batch, push: Push, context: AppendContext) -> _Batch:
    """The batch with one more push: its lines and its operation, or its failed operation."""
    errors = push.errors or _not_now(batch.after, push, context)
    outcome: Addition | RejectedPush = (
        RejectedPush(errors)
        if errors
        else append(batch.after, push.lines, batch.recorded, context.rules, bool(push.operation.backfill))
    )
    if isinstance(outcome, RejectedPush):
        return _add_refusal(ports, batch, push, outcome.errors, context)
    return _add_lines(ports, batch, push, outcome, context)


def _not_now(feed: Feed, push: Push, context: AppendContext) -> tuple[Finding, ...]:
    """Why the push is refused whatever it has: there is no such hole, or it comes behind one that holds the feed."""
    named = push.operation.backfill
    if named and named not in context.holes:
        return (NO_SUCH_HOLE.but(message=NO_SUCH_HOLE.message.format(named)),)
    return (BEHIND_HOLE,) if context.is_closed(feed) and not named else ()


def _add_refusal(
    ports: Ports, batch: _Batch, push: Push, errors: tuple[Finding, ...], context: AppendContext
) -> _Batch:
    refused = refuse(
        ports,
        batch.after,
        push,
        errors,
        known=batch.recorded,
        company=context.company,
        now=context.now,
        is_hole_known=push.operation.backfill in context.holes,
        holds_feed=context.refusal_holds,
        standing=context.feed_hold,
    )
    size = push_operation_items.estimated_bytes(push.operation.but(errors=errors)) + _bytes(push.lines)
    return replace(
        batch,
        after=refused.feed,
        writes=batch.writes + refused.writes,
        bytes=batch.bytes + size,
        refused=batch.refused | {push.operation.key},
    )


def _add_lines(ports: Ports, batch: _Batch, push: Push, outcome: Addition, context: AppendContext) -> _Batch:
    company, now = context.company, context.now
    operation = push.operation.but(warnings=(*push.operation.warnings, *outcome.warnings), through=outcome.through)
    operation = operation.but(lines=len(outcome.lines))
    early = lines_before_start(batch.feed, outcome.lines)
    # A hold because of a hole does not stop what mends it: it may be lifted right after this.
    holds = [hold for hold in context.holds if not (operation.backfill and hold.reason == REASON_REFUSED)]
    writes: list[Write] = [
        put_event(feed_events.gap_found(ports, batch.after, gap, company, now)) for gap in outcome.gaps[:GAP_EVENTS_MAX]
    ]
    writes += gap_items.add_gaps(batch.feed.id, operation.key, outcome, batch.after.recorded_date, now)
    if operation.status is PushStatus.TIMED_OUT:
        writes.append(push_operation_items.put_operation(operation))
    elif outcome.through <= outcome.feed.delivered_through:
        writes += end_writes(ports, operation.succeeded(now), company, now)
    elif holds:
        writes += end_writes(ports, failed_by(operation, holds[0].problem, now), company, now)
        batch = replace(batch, hold=holds[0])
    else:
        writes += [
            push_operation_items.put_operation(operation),
            push_operation_items.add_open_operation(batch.feed.id, operation),
        ]
    return replace(
        batch,
        after=outcome.feed,
        recorded=batch.recorded | outcome.ids,
        writes=batch.writes + writes,
        lines=batch.lines + list(outcome.lines),
        bytes=batch.bytes + push_operation_items.estimated_bytes(operation) + _bytes(outcome.lines) + _bytes(early),
    )


def _set_aside_pages(feed: Feed, lines: Sequence[Line], now: datetime) -> list[Put]:
    """The pages with those of the lines to add that are dated before the feed's start."""
    # Not only the first ones: a backfill may have some behind others.
    numbered = enumerate(lines, feed.recorded_through + 1)
    early = [(number, line) for number, line in numbered if line.date < feed.start_date]
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
        store.commit(feed_items.put_feed(batch.after), *conditions, *batch.writes)
        return batch.after.but(version=feed.version + 1)
    first = feed.recorded_through + 1
    after = batch.after.but(look=feed.look or (next_look(now) if batch.after.waiting else None))
    pages = [*feed_items.add_lines(feed.id, first, batch.lines), *_set_aside_pages(feed, batch.lines, now)]
    counts = waiting_change(feed, after)
    writes = [feed_items.put_feed(after), *conditions, *pages, *counts, *batch.writes]
    if len(batch.lines) <= min(IDS_IN_COMMIT_MAX, WRITES_PER_COMMIT_MAX - 1 - len(writes)):
        store.commit(*writes, *feed_items.add_ids(feed.id, first, batch.lines))
    else:
        store.commit(*writes)
        feed_items.index_lines(store, feed.id, first, batch.lines)
    return after.but(version=feed.version + 1)
