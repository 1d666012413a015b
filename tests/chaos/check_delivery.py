"""Checks what Xero received, feed by feed: in order, once, complete, exact, one statement at a time."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise

from feedlane.feeds import hole_items, push_operation_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import PushOperation
from feedlane.feeds.set_aside_items import read_set_aside
from feedlane.settings import items as settings_items
from feedlane.store import keys
from feedlane.store.table import Index
from tests.chaos.books import Received, ReceivedLine
from tests.chaos.pushes import Platform
from tests.chaos.world import Place, World


def recorded(world: World, place: Place) -> list[Line]:
    return feed_items.read_lines(world.store, place.feed_id, 1, 1_000_000)


def delivered(world: World, place: Place) -> list[ReceivedLine]:
    """The lines that reached the customer's account, in order of arrival."""
    statements = [statement for statement in world.books.received(place) if statement.is_delivered]
    return [line for statement in statements for line in statement.lines if line.arrived]


def order(world: World, place: Place) -> list[str]:
    """1. Lines arrive in ledger order, and ledger order is chronological, but for backfills; so is each statement."""
    lines, late = recorded(world, place), backfilled(world, place)
    violations = []
    if any(after.date < before.date for before, after in pairwise([line for line in lines if line.id not in late])):
        violations.append(f"order: the ledger of {place.account_id} is not chronological")
    if any(dates != sorted(dates) for dates in map(_dates, world.books.received(place))):
        violations.append(f"order: {place.account_id} got a statement whose lines are not chronological")
    position = {line.id: number for number, line in enumerate(lines)}
    positions = [position.get(line.own_id, -1) for line in delivered(world, place)]
    if positions != sorted(positions) or -1 in positions:
        violations.append(f"order: {place.account_id} got lines in the order {positions}"[:300])
    return violations


def _dates(statement: Received) -> list[str]:
    return [line.day for line in statement.lines]


def backfilled(world: World, place: Place) -> set[str]:
    """The ids of the transactions that backfills have brought."""
    ids: set[str] = set()
    for item in world.table.query(keys.pushes(place.company_id), index=Index.LISTS):
        operation = PushOperation.model_validate(item)
        if operation.backfill and operation.feed_id == place.feed_id and operation.lines:
            first = operation.through - operation.lines + 1
            ids |= {line.id for line in feed_items.read_lines(world.store, place.feed_id, first, operation.lines)}
    return ids


def holes(world: World, place: Place) -> list[str]:
    """3. What a refused push had is in the ledger, or the feed shows a hole; and it shows no others."""
    feed = world.feed(place)
    if feed is None:
        return []
    known = {line.id for line in recorded(world, place)}
    shown = dict(hole_items.holes(world.store, feed.id, 1_000_000))
    open_keys = {hole.operation_key for hole in shown.values()}
    violations = []
    if feed.holes != len(shown):
        violations.append(f"holes: {place.account_id} counts {feed.holes} holes and has {len(shown)}")
    for item in world.table.query(keys.pushes(place.company_id), index=Index.LISTS):
        operation = PushOperation.model_validate(item)
        if operation.feed_id != feed.id or not operation.errors or operation.key in open_keys or operation.backfill:
            continue
        missing = {line.id for line in push_operation_items.pushed_lines(world.store, operation)} - known
        if missing and operation.requested_on > feed.created:
            violations.append(f"holes: {place.account_id} does not show that {sorted(missing)[:5]} are missing")
    return violations[:3]


def once(world: World, place: Place) -> list[str]:
    """2. Nothing arrives twice, and Xero never drops a line that it already has."""
    ids = [line.own_id for line in delivered(world, place)]
    twice = sorted(id for id, count in Counter(ids).items() if count > 1)
    violations = [f"once: {place.account_id} got {twice} more than once"] if twice else []
    # By its content a line may be dropped the first time. Then `all_delivered` demands that somebody knows.
    dropped = any(line.dropped for statement in world.books.received(place) for line in statement.lines)
    if world.books.knows_lines_by_id and dropped:
        violations.append(f"once: Xero dropped lines of a statement for {place.account_id} that it already had")
    recorded_ids = [line.id for line in recorded(world, place)]
    if len(set(recorded_ids)) != len(recorded_ids):
        violations.append(f"once: the ledger of {place.account_id} has a transaction twice")
    return violations


def all_delivered(world: World, place: Place) -> list[str]:
    """3. After the releases every recorded line is delivered, except those set aside or entered by hand."""
    arrived = {line.own_id for line in delivered(world, place)}
    feed = world.feed(place)
    aside = {line.transaction_id for line in read_set_aside(world.store, feed.id)} if feed else set[str]()
    known = arrived | aside | world.entered_by_hand[place.feed_id]
    missing = [line.id for line in recorded(world, place) if line.id not in known]
    violations = [f"nothing lost: {place.account_id} never got {missing[:10]}"] if missing else []
    return violations + ([f"once: {place.account_id} got {arrived & aside}, set aside"] if arrived & aside else [])


def gaps(world: World, place: Place) -> list[str]:
    """Where gaps are errors, the ledger has none."""
    settings = settings_items.settings(world.store)
    if not settings.gap_is_error or settings.synthetic_balances:
        return []
    late = backfilled(world, place)
    pairs = [(a, b) for a, b in pairwise(recorded(world, place)) if not {a.id, b.id} & late]
    broken = [b.id for a, b in pairs if a.balance + b.amount != b.balance]
    return [f"order: the ledger of {place.account_id} has gaps before {broken[:5]}"] if broken else []


def one_flight(world: World, place: Place) -> list[str]:
    """5. A statement is sent only after the previous one has ended."""
    for before, after in pairwise(world.books.received(place)):
        if after.received_at < before.ended_at:
            early_seconds = (before.ended_at - after.received_at).total_seconds()
            return [
                f"one flight: {place.account_id} got a statement {early_seconds:.1f} s before the previous one ended"
            ]
    return []


def money(world: World, place: Place, platform: Platform) -> list[str]:
    """8. Every amount equals, digit for digit, one sent under its id, and the balances continue."""
    violations = []
    synthetic = settings_items.settings(world.store).synthetic_balances
    for statement in world.books.received(place):
        balance = statement.opening
        for line in statement.lines:
            balance += line.amount
            sent = platform.truth.get((place.feed_id, line.own_id), [])
            if not any(line.amount == known["amount"] and (synthetic or balance == known["balance"]) for known in sent):
                violations.append(f"money: {place.account_id} {line.id} arrived as {line.amount} and {balance}")
        if balance != statement.closing:
            violations.append(f"money: a statement of {place.account_id} does not add up")
    return violations[:3] + (_chain(world, place) if synthetic else [])


def _chain(world: World, place: Place) -> list[str]:
    """Synthetic balances: each statement delivered to a feed connection opens with what the one before closed with.

    What somebody has entered by hand in between counts, as they have told that Xero has it.
    """
    ledger, by_hand = recorded(world, place), world.entered_by_hand[place.feed_id]
    position = {line.id: number for number, line in enumerate(ledger)}
    last = dict[str, tuple[int, Decimal]]()
    for statement in world.books.received(place):
        if not statement.is_delivered:
            continue
        positions = [position[line.own_id] for line in statement.lines]
        if statement.feed_connection_id in last:
            through, closing = last[statement.feed_connection_id]
            between = ledger[through + 1 : min(positions)]
            expected = closing + sum(line.amount for line in between if line.id in by_hand)
            if statement.opening != expected:
                text = f"opens with {statement.opening}, not with the last closing balance {expected}"
                return [f"money: a statement of {place.account_id} {text}"]
        last[statement.feed_connection_id] = max(positions), statement.closing
    return []
