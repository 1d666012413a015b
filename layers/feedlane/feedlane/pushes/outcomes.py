"""The outcome of each transaction of a push operation."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items, set_aside_items
from feedlane.feeds.feed import Feed, FlightStatus, SetAside
from feedlane.feeds.ledger import KNOWN_VALIDATORS
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
    DELIVERED_ELSEWHERE = "DeliveredElsewhere"
    """Delivered to the Xero account that the source account was mapped to before: the present one does not have it."""
    SET_ASIDE = "SetAside"
    """In the ledger, and never sent."""


class TransactionOutcome(NamedTuple):
    """`line` is the transaction's number in the feed's ledger, None if it is not recorded."""

    id: str
    outcome: TransactionStatus
    line: int | None


class OutcomePage(NamedTuple):
    """Some of an operation's transactions, and how many it has in all."""

    outcomes: list[TransactionOutcome]
    total: int


def outcome_page(store: Store, operation: PushOperation, start: int, size: int) -> OutcomePage:
    """The outcomes from the `start`-th on (0 is the first), in the order of the push, or of the ledger if that is gone.

    A push has at most a thousand transactions. A release can have any number: only those of the page are read.
    """
    feed = feed_items.find_feed(store, feed_id(operation.connection_id, operation.account_id))
    if feed is None or not operation.through:
        outcome = TransactionStatus.REFUSED if operation.errors else TransactionStatus.PENDING
        pushed = push_operation_items.pushed_lines(store, operation)
        page = pushed[start : start + size]
        return OutcomePage([TransactionOutcome(line.id, outcome, None) for line in page], len(pushed))
    if operation.door is Door.RELEASE:
        numbers, total = _released_line_numbers(store, feed, operation, start, size), operation.transactions
    else:
        every_number = list(_line_numbers(store, feed, operation).items())
        numbers, total = every_number[start : start + size], len(every_number)
    if not numbers:
        return OutcomePage([], total)
    is_held = bool(hold_items.holds_on(store, feed.hold_subjects))
    first, last = (edge(number for _, number in numbers) for edge in (min, max))
    never_sent = set_aside_items.set_aside_among(store, feed.id, first, last) if feed.set_aside else frozenset[int]()
    outcomes = [TransactionOutcome(id, status_of(feed, number, is_held, never_sent), number) for id, number in numbers]
    return OutcomePage(outcomes, total)


def _line_numbers(store: Store, feed: Feed, operation: PushOperation) -> dict[str, int]:
    """The transaction ids of a push, each with the number of its line."""
    if operation.door is Door.API:
        ids = [line.id for line in push_operation_items.pushed_lines(store, operation)]
        recorded = feed_items.recorded_ids(store, feed, ids)
        return {id: recorded[id].sequence for id in ids if id in recorded}
    first = operation.through - operation.lines + 1
    added = feed_items.read_lines(store, feed.id, first, operation.lines) if operation.lines else []
    duplicates = [warning.item_id for warning in operation.warnings if warning.validator in KNOWN_VALIDATORS]
    recorded = feed_items.recorded_ids(store, feed, duplicates)
    numbers = {id: transaction.sequence for id, transaction in recorded.items()}
    return numbers | {line.id: first + offset for offset, line in enumerate(added)}


def _released_line_numbers(
    store: Store, feed: Feed, operation: PushOperation, start: int, size: int
) -> list[tuple[str, int]]:
    """The lines of a page of those that waited when the hold was lifted: without those set aside by then."""
    first, size = operation.through - operation.lines + 1, min(size, operation.transactions - start)
    if size <= 0:
        return []
    lines = _lines_set_aside(store, feed, first)
    aside = sorted(
        line.sequence
        for line in lines
        if line.on <= operation.requested_on and first <= line.sequence <= operation.through
    )
    # How many lines before each of them were not set aside.
    places = [number - first - index for index, number in enumerate(aside)]
    numbers = [first + place + bisect_right(places, place) for place in range(start, start + size)]
    texts = feed_items.read_lines(store, feed.id, numbers[0], numbers[-1] - numbers[0] + 1)
    return [(texts[number - numbers[0]].id, number) for number in numbers]


def _lines_set_aside(store: Store, feed: Feed, first: int) -> list[SetAside]:
    """At least those from line `first` on. Reads nothing for a feed without any."""
    return list(set_aside_items.read_set_aside(store, feed.id, first - 1)) if feed.set_aside else []


def status_of(feed: Feed, number: int, is_held: bool, never_sent: Collection[int]) -> TransactionStatus:
    """What has become of a line of the ledger. `never_sent` are the numbers of those set aside."""
    if number in never_sent:
        return TransactionStatus.SET_ASIDE
    if number <= feed.delivered_through:
        return TransactionStatus.DELIVERED_ELSEWHERE if feed.elsewhere(number) else TransactionStatus.DELIVERED
    flight = feed.flight
    if flight is not None and flight.status is FlightStatus.PENDING and number <= flight.last:
        return TransactionStatus.SENT
    return TransactionStatus.HELD if is_held else TransactionStatus.WAITING
