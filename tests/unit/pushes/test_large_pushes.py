"""Pushes of every allowed size stay within the limits of SQS and DynamoDB and are sent completely."""

from __future__ import annotations

import random
from typing import Any

import pytest

from feedlane.codat.bodies import BODY_BYTES_MAX
from feedlane.feeds.push_operation import Door, PushStatus
from feedlane.money import dumps
from feedlane.pushes.appending import GAP_EVENTS_MAX
from feedlane.pushes.message import MESSAGE_BYTES_MAX, QueueMessage
from feedlane.store.table import Put, Write
from tests.fakes.quick_table import QuickTable
from tests.worlds.feeds import World, transactions

ITEM_BYTES_MAX = 400 * 1024
COMMIT_BYTES_MAX = 4 * 1024 * 1024
MESSAGES = 10_000
BATCH_SIZE = 10

# How many characters of each script make a body of about BODY_BYTES_MAX bytes with a thousand transactions.
SCRIPTS = {
    "ascii": ([chr(code) for code in range(32, 127)], 2000),
    "latin": ([chr(code) for code in range(0xC0, 0x180)], 2000),
    "chinese": ([chr(code) for code in range(0x4E00, 0x9FA5)], 1350),
    "emoji": ([chr(code) for code in range(0x1F300, 0x1F700)], 950),
}


class MeasuredTable(QuickTable):
    """Records the largest item and the largest commit, which DynamoDB limits to 400 KB and 4 MB."""

    def __init__(self) -> None:
        super().__init__()
        self.largest_item = self.largest_commit = 0

    def commit(self, *writes: Write) -> None:
        sizes = [_size(write.item) for write in writes if isinstance(write, Put)]
        self.largest_item = max([self.largest_item, *sizes])
        self.largest_commit = max(self.largest_commit, sum(sizes))
        super().commit(*writes)


@pytest.fixture
def table() -> MeasuredTable:
    return MeasuredTable()


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_largest_pushes_fit_into_items_commits_and_messages(table: MeasuredTable, script: str) -> None:
    """Random text compresses worst."""
    world, (alphabet, length) = World(table=table), SCRIPTS[script]
    rng = random.Random(1)
    pushed = transactions(1000)
    for transaction in pushed:
        transaction |= {"description": _text(rng, alphabet, length), "counterparty": _text(rng, alphabet, 250)}
    size = len(dumps({"transactions": pushed}).encode())
    assert size <= BODY_BYTES_MAX
    assert size >= BODY_BYTES_MAX * 0.8 or length == 2000

    operation = world.push(pushed)
    assert [len(sent["body"].encode()) < MESSAGE_BYTES_MAX for sent in world.queues.pushed] == [True]
    world.run()
    assert world.sent_ids() == [transaction["id"] for transaction in pushed]
    assert [operation.key for operation in world.operations()] == [operation.key]
    assert world.operation(operation.key).status is PushStatus.SUCCESS
    assert 0 < table.largest_item <= ITEM_BYTES_MAX
    assert 0 < table.largest_commit <= COMMIT_BYTES_MAX


def test_large_pushes_that_come_together_are_not_committed_together(table: MeasuredTable) -> None:
    world, rng, alphabet = World(table=table), random.Random(1), SCRIPTS["chinese"][0]
    for number in range(2):
        pushed = transactions(600, start=1 + 600 * number, opening=6000.0 * number)
        world.push([transaction | {"description": _text(rng, alphabet, 1900)} for transaction in pushed])
    sent = world.queues.take("pushed")
    world.record(*(QueueMessage(message["id"], message["group"], message["body"], world.now) for message in sent))
    world.run()
    assert world.sent_ids() == [f"t{number}" for number in range(1, 1201)]
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    assert table.largest_commit <= COMMIT_BYTES_MAX


def test_ten_thousand_messages_of_one_transaction_go_in_full_statements(table: MeasuredTable) -> None:
    """In batches as Lambda delivers them, before the feed is woken for the first time."""
    world = World(table=table)
    messages = [world.message(transactions(1, start=n, opening=10.0 * (n - 1))) for n in range(1, MESSAGES + 1)]
    for start in range(0, MESSAGES, BATCH_SIZE):
        world.record(*messages[start : start + BATCH_SIZE])
    world.queues.woken = list(dict.fromkeys(world.queues.woken))
    world.run()
    assert world.sent_ids() == [f"t{number}" for number in range(1, MESSAGES + 1)]
    assert [len(statement) for statement in world.upstream.taken] == [1000] * 10
    operations = world.operations()
    assert len(operations) == MESSAGES
    assert {operation.status for operation in operations} == {PushStatus.SUCCESS}
    assert table.largest_commit <= COMMIT_BYTES_MAX


def test_a_push_of_which_every_balance_is_wrong_is_taken_and_told_of(table: MeasuredTable) -> None:
    world = World(table=table)
    pushed = [transaction | {"balance": 0} for transaction in transactions(200)]
    operation = world.push(pushed)
    world.run(2000)
    operation = world.operation(operation.key)
    assert operation.status is PushStatus.SUCCESS
    assert len([warning for warning in operation.warnings if warning.validator == "Gap"]) == 199
    assert sum(item.get("type") == "bankFeeds.gapFound" for item in table.inserted) == GAP_EVENTS_MAX


def test_ten_pushes_with_gaps_and_findings_that_come_together_are_committed(table: MeasuredTable) -> None:
    world = World(table=table)
    messages = []
    for number in range(10):
        pushed = _with_long_ids(transactions(1000, start=1 + 100 * number))
        messages.append(world.message([transaction | {"balance": 0} for transaction in pushed]))
    world.record(*messages)
    assert world.feed().recorded_through == 1900
    assert {operation.status for operation in world.operations()} == {PushStatus.PENDING}
    assert table.largest_item <= ITEM_BYTES_MAX
    assert table.largest_commit <= COMMIT_BYTES_MAX


def test_an_operation_with_thousands_of_findings_fits_into_an_item(table: MeasuredTable) -> None:
    """Each transaction once with the wrong sign for its type, and once more with other content."""
    world = World(table=table)
    world.record(world.message(_with_long_ids(transactions(1000))))
    again = [
        transaction | {"transactionType": "Debit", "amount": 11} for transaction in _with_long_ids(transactions(1000))
    ]
    world.record(world.message(again))
    failed = next(operation for operation in world.operations() if operation.status is PushStatus.FAILED)
    assert len(failed.errors) > 100
    assert len(failed.warnings) > 100
    assert table.largest_item <= ITEM_BYTES_MAX


def test_overlapping_pushes_that_end_together_fit_into_commits(table: MeasuredTable) -> None:
    """Each push repeats the last thousand transactions: all but one are known, and each of these is a warning."""
    world = World(table=table)
    history = _with_long_ids(transactions(1040))
    world.push(history[:1000])
    world.step()
    world.step()
    for number in range(1, 41):
        world.push(history[number : number + 1000])
    world.run()
    assert world.feed().delivered_through == 1040
    assert {operation.status for operation in world.operations()} == {PushStatus.SUCCESS}
    assert table.largest_commit <= COMMIT_BYTES_MAX


def _with_long_ids(pushed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ids of the maximum length, in a script with three bytes per character."""
    return [transaction | {"id": transaction["id"] + "\u4e00" * 248} for transaction in pushed]


def _text(rng: random.Random, alphabet: list[str], length: int) -> str:
    return "".join(rng.choices(alphabet, k=length))


def _size(item: dict[str, Any]) -> int:
    """About the size that DynamoDB counts: names and values."""
    return sum(len(name) + _value(value) for name, value in item.items())


def _value(value: Any) -> int:
    match value:
        case bytes():
            return len(value)
        case str():
            return len(value.encode())
        case dict():
            return 3 + _size(value)
        case list():
            return 3 + sum(map(_value, value))
        case _:
            return 21


@pytest.mark.parametrize("changed", [{}, {"amount": 9.5}], ids=["known already", "other content"])
def test_a_thousand_findings_about_the_longest_ids_fit_into_an_operation(
    table: MeasuredTable, changed: dict[str, Any]
) -> None:
    world = World(table=table)
    pushed = [row | {"id": "😀" * 250 + f"{number:05d}"} for number, row in enumerate(transactions(1000))]
    world.push(pushed)
    world.run()
    again = world.message([row | changed for row in pushed])
    world.record(again)
    world.run()
    [operation] = [pushed for pushed in world.operations() if pushed.door is Door.QUEUE]
    findings = operation.errors or operation.warnings
    assert findings[0].item_id == pushed[0]["id"]
    assert findings[-1].message == f"and {1000 - len(findings) + 1} more, not listed here"
    assert len(findings) > 100
    assert operation.status is (PushStatus.FAILED if changed else PushStatus.SUCCESS)
    assert table.largest_item <= ITEM_BYTES_MAX
    assert table.largest_commit <= COMMIT_BYTES_MAX
