"""The outcome of each transaction of a push operation."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed, FlightStatus
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.holds import items as hold_items
from feedlane.ids import feed_id
from feedlane.store.store import Store


class TransactionStatus(StrEnum):
    PENDING = "Pending"
    """Accepted, and not yet in the ledger."""
    REFUSED = "Refused"
    """Its push was not recorded: the operation has the errors."""
    WAITING = "Waiting"
    HELD = "Held"
    """In the ledger, and stopped by a hold."""
    SENT = "Sent"
    """Xero has it, and has not reported the result yet."""
    DELIVERED = "Delivered"
    SET_ASIDE = "SetAside"
    """In the ledger, and never sent."""


class TransactionOutcome(NamedTuple):
    """`line` is the transaction's number in the feed's ledger, None if it is not recorded."""

    id: str
    outcome: TransactionStatus
    line: int | None


def outcomes_of(store: Store, operation: PushOperation) -> list[TransactionOutcome]:
    """In the order of the push, or of the ledger if the push itself is not kept."""
    feed = feed_items.find_feed(store, feed_id(operation.connection_id, operation.account_id))
    if feed is None or not operation.through:
        outcome = TransactionStatus.REFUSED if operation.errors else TransactionStatus.PENDING
        pushed = push_operation_items.pushed_lines(store, operation)
        return [TransactionOutcome(line.id, outcome, None) for line in pushed]
    is_held = bool(hold_items.holds_on(store, feed.hold_subjects))
    numbers = _line_numbers(store, feed, operation)
    return [TransactionOutcome(id, _status_of(feed, number, is_held), number) for id, number in numbers.items()]


def _line_numbers(store: Store, feed: Feed, operation: PushOperation) -> dict[str, int]:
    """The operation's transaction ids, each with the number of its line."""
    if operation.door is Door.RELEASE:
        return dict(_released_line_numbers(store, feed, operation))
    if operation.door is Door.API:
        ids = [line.id for line in push_operation_items.pushed_lines(store, operation)]
        recorded = feed_items.recorded_ids(store, feed, ids)
        return {id: recorded[id].sequence for id in ids if id in recorded}
    first = operation.through - operation.lines + 1
    added = feed_items.read_lines(store, feed.id, first, operation.lines) if operation.lines else []
    duplicates = [warning.item_id for warning in operation.warnings if warning.validator == "Duplicate"]
    recorded = feed_items.recorded_ids(store, feed, duplicates)
    numbers = {id: transaction.sequence for id, transaction in recorded.items()}
    return numbers | {line.id: first + offset for offset, line in enumerate(added)}


def _released_line_numbers(store: Store, feed: Feed, operation: PushOperation) -> Iterator[tuple[str, int]]:
    """The lines that waited when the hold was lifted: the last up to `through`, without those set aside by then."""
    aside = {line.sequence for line in feed.set_aside if line.on <= operation.requested_on}
    numbers: list[int] = []
    before = operation.through
    while len(numbers) < operation.transactions and before > 0:
        if before not in aside:
            numbers.append(before)
        before -= 1
    lines = feed_items.read_lines(store, feed.id, before + 1, operation.through - before)
    return ((lines[number - before - 1].id, number) for number in reversed(numbers))


def _status_of(feed: Feed, number: int, is_held: bool) -> TransactionStatus:
    if number in feed.set_aside_sequences:
        return TransactionStatus.SET_ASIDE
    if number <= feed.delivered_through:
        return TransactionStatus.DELIVERED
    flight = feed.flight
    if flight is not None and flight.status is FlightStatus.PENDING and number <= flight.last:
        return TransactionStatus.SENT
    return TransactionStatus.HELD if is_held else TransactionStatus.WAITING
