"""Holes: a push that the ledger refuses leaves one, and a backfill mends it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.errors import Conflict, Finding, NotFound
from feedlane.events.outbox import put_event
from feedlane.feeds import events as feed_events
from feedlane.feeds import hole_items, push_operation_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.hole import Hole
from feedlane.feeds.push_operation import PushOperation
from feedlane.holds import events as hold_events
from feedlane.holds import items as hold_items
from feedlane.holds import release_operations
from feedlane.holds.history import add_release
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.pushes.queue_door import Push
from feedlane.scope import Scope
from feedlane.store.attempts import attempts
from feedlane.store.due import next_look
from feedlane.store.store import Store
from feedlane.store.table import Write

REASON_REFUSED = "push-refused"
# So many open holes of a feed are looked at with each of its pushes. A backfill finds the one that it names anyway.
HOLES_READ_MAX = 100
BEHIND_HOLE = Finding(
    item_id="transactions",
    message="come behind a push that was refused, and its feed is held: mend that one with a backfill first",
    validator="BehindHole",
)
NO_SUCH_HOLE = Finding(
    item_id="backfill",
    message="{} is no refused push of this account whose transactions are missing",
    validator="Hole",
)


def open_holes(store: Store, feed: Feed, operations: Iterable[PushOperation]) -> dict[str, Hole]:
    """The feed's open holes, by the keys of their operations: the oldest, and those that backfills name."""
    if not feed.holes:
        return {}
    found = {hole.operation_key: hole for _, hole in hole_items.holes(store, feed.id, HOLES_READ_MAX)}
    for operation in operations:
        if operation.backfill and operation.backfill not in found:
            named = push_operation_items.find_operation(store, operation.company_id, operation.backfill)
            hole = hole_items.find_hole(store, named) if named and named.feed_id == feed.id else None
            found |= {hole.operation_key: hole} if hole else {}
    return found


def touched(push: Push, holes: Iterable[Hole]) -> list[Hole]:
    """Those of the holes that the push may have mended: it names them, or has their next missing transaction."""
    ids = {line.id for line in push.lines}
    return [hole for hole in holes if hole.operation_key == push.operation.backfill or hole.next_missing in ids]


def refusal_hold(feed: Feed, hole: Hole, now: datetime, id: str) -> Hold:
    """The hold of a feed that goes on only when the refused push is mended, or its hold released."""
    detail = f"Push operation {hole.operation_key}: {hole.error} It has to be mended with a backfill first."
    return Hold(
        id=id,
        scope=Scope.FEED,
        subject=feed.id,
        reason=REASON_REFUSED,
        problem=Problem(type=REASON_REFUSED, title="Push Refused", status=400, detail=detail),
        since=now,
        tenant_id=feed.tenant_id,
        company_id=feed.company_id,
        connection_id=feed.connection_id,
        account_id=feed.account_id,
    )


def mend(ports: Ports, feed: Feed, holes: Sequence[Hole], named: Collection[str], company: Company) -> Feed:
    """Closes those of the holes whose transactions are recorded by now. Returns the feed after that. May be repeated.

    `named`: the operation keys that recorded backfills name. Raises `ConditionFailed` if the feed has changed.
    """
    for hole in holes:
        ids = [line.id for line in push_operation_items.lines_of(ports.store, feed.id, hole.operation_key)]
        recorded = feed_items.recorded_ids(ports.store, feed, ids)
        left = hole.without([id for id in ids if id not in recorded])
        if not left.missing and (not hole.unread or hole.operation_key in named):
            feed = _close(ports, feed, left, company)
        elif left != hole:
            ports.store.commit(feed_items.put_feed(feed), hole_items.put_hole(feed.id, left))
            feed = feed.but(version=feed.version + 1)
    return feed


def give_up(ports: Ports, feed_id: str, operation_key: str) -> Feed:
    """Closes a hole although transactions are missing: an operator knows that they will not come.

    Raises `NotFound`, `Conflict` (the feed keeps changing).
    """
    changing = Conflict("The feed is changing right now; try again.")
    for attempt in attempts(f"a hole of feed {feed_id}", otherwise=changing):
        feed = feed_items.find_feed(ports.store, feed_id)
        operation = push_operation_items.find_operation(ports.store, feed.company_id, operation_key) if feed else None
        hole = hole_items.find_hole(ports.store, operation) if operation and operation.feed_id == feed_id else None
        if feed is None or hole is None:
            raise NotFound("hole", operation_key)
        company = company_items.company(ports.store, feed.company_id)
        with attempt:
            return _close(ports, feed, hole, company)
    raise changing


def _close(ports: Ports, feed: Feed, hole: Hole, company: Company) -> Feed:
    """Closes the hole. With the last one, the hold because of holes is lifted, in the same commit."""
    now = ports.clock()
    after = feed.but(holes=feed.holes - 1, hole_to_hold=feed.hole_to_hold and feed.holes > 1)
    writes: list[Write] = [
        hole_items.remove_hole(feed.id, hole),
        put_event(feed_events.hole_mended(ports, after, hole, company, now)),
    ]
    hold = None if after.holes else hold_items.find_hold(ports.store, Scope.FEED, feed.id)
    is_lifted = hold is not None and hold.reason == REASON_REFUSED and not hold.releasing
    if hold is not None and is_lifted:
        released = put_event(hold_events.released(ports, hold, after.waiting, company, now))
        operations = []
        if after.waiting:
            after = after.but(look=next_look(now))
            operations = [release_operations.release_operation(after, now, ports.new_id())]
            writes += release_operations.operation_writes(after, operations[0])
        history = add_release(ports.store, hold, now, "", after.waiting, operations)
        writes += [*hold_items.lift_hold(hold), released, history]
    ports.store.commit(feed_items.put_feed(after), *writes)
    if is_lifted and after.waiting:
        ports.queues.wake(feed.id)
    return after.but(version=feed.version + 1)
