"""What has become of each transaction of a push operation."""

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
    """Taken, and not yet in the ledger."""
    REFUSED = "Refused"
    """Its push was not recorded; the operation's errors say why."""
    WAITING = "Waiting"
    HELD = "Held"
    """In the ledger, and stopped by a hold."""
    SENT = "Sent"
    """Xero has it and has not yet said how it ended."""
    DELIVERED = "Delivered"
    SET_ASIDE = "SetAside"
    """In the ledger, and never to be sent."""


class TransactionOutcome(NamedTuple):
    """`line` is the transaction's number in the feed's ledger, if it is there."""

    id: str
    outcome: TransactionStatus
    line: int | None


def outcomes_of(store: Store, operation: PushOperation) -> list[TransactionOutcome]:
    """In the order of the push, or of the ledger where only that is known."""
    feed = feed_items.find_feed(store, feed_id(operation.connection_id, operation.account_id))
    if feed is None or not operation.through:
        outcome = TransactionStatus.REFUSED if operation.errors else TransactionStatus.PENDING
        pushed = push_operation_items.pushed_lines(store, operation)
        return [TransactionOutcome(line.id, outcome, None) for line in pushed]
    is_held = bool(hold_items.holds_on(store, feed.hold_subjects))
    found = _line_numbers(store, feed, operation)
    return [TransactionOutcome(id, _status_of(feed, number, is_held), number) for id, number in found.items()]


def _line_numbers(store: Store, feed: Feed, operation: PushOperation) -> dict[str, int]:
    """The operation's transaction ids, each with its line in the ledger."""
    if operation.door is Door.RELEASE:
        return dict(_released_line_numbers(store, feed, operation))
    if operation.door is Door.API:
        ids = [line.id for line in push_operation_items.pushed_lines(store, operation)]
        known = feed_items.recorded_ids(store, feed, ids)
        return {id: known[id].sequence for id in ids if id in known}
    first = operation.through - operation.lines + 1
    added = feed_items.read_lines(store, feed.id, first, operation.lines) if operation.lines else []
    before = [one.item_id for one in operation.warnings if one.validator == "Duplicate"]
    places = {id: found.sequence for id, found in feed_items.recorded_ids(store, feed, before).items()}
    return places | {line.id: first + offset for offset, line in enumerate(added)}


def _released_line_numbers(store: Store, feed: Feed, operation: PushOperation) -> Iterator[tuple[str, int]]:
    """What waited when the hold was lifted: the last lines up to `through` that were not set aside by then."""
    aside = {line.sequence for line in feed.set_aside if line.on <= operation.requested_on}
    chosen: list[int] = []
    number = operation.through
    while len(chosen) < operation.transactions and number > 0:
        if number not in aside:
            chosen.append(number)
        number -= 1
    lines = feed_items.read_lines(store, feed.id, number + 1, operation.through - number)
    return ((lines[one - number - 1].id, one) for one in reversed(chosen))


def _status_of(feed: Feed, number: int, is_held: bool) -> TransactionStatus:
    if number in feed.set_aside_sequences:
        return TransactionStatus.SET_ASIDE
    if number <= feed.delivered_through:
        return TransactionStatus.DELIVERED
    flight = feed.flight
    if flight is not None and flight.status is FlightStatus.PENDING and number <= flight.last:
        return TransactionStatus.SENT
    return TransactionStatus.HELD if is_held else TransactionStatus.WAITING
