"""What is too large for DynamoDB is refused by every table, before it is sent; and large answers come in pages."""

from __future__ import annotations

import pytest

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.store.sizes import item_bytes
from feedlane.store.table import COMMIT_BYTES_MAX, STORED_BYTES_MAX, Add, Put, Table, TooLarge
from tests.fakes.quick_table import QuickTable
from tests.fakes.table import MemoryTable
from tests.unit.store.test_item_named_twice import NoClient, chaos_table

TABLES = {
    "memory": MemoryTable,
    "quick": QuickTable,
    "chaos": chaos_table,
    "dynamodb": lambda: DynamoDBTable(NoClient(), "table"),
}


@pytest.fixture(params=TABLES.values(), ids=TABLES)
def table(request: pytest.FixtureRequest) -> Table:
    table: Table = request.param()
    return table


def item(sk: str, size: int) -> dict[str, str]:
    """An item of exactly so many bytes."""
    empty = {"pk": "partition", "sk": sk, "text": ""}
    return empty | {"text": "x" * (size - item_bytes(empty))}


@pytest.mark.parametrize(
    ("value", "size"),
    [("ä€", 5), (b"\0\1", 2), (True, 1), (0, 3), (123456, 5), ([1, "ab"], 3 + 2 + 3 + 2), ({"a": None}, 3 + 1 + 1 + 1)],
)
def test_a_size_is_counted_as_dynamodb_counts_it(value: object, size: int) -> None:
    assert item_bytes({"n": value, "nothing": None}) == 1 + size


def test_an_item_over_400_kb_is_refused(table: Table) -> None:
    for write in (Put(item("1", STORED_BYTES_MAX + 1)), Add(("partition", "1"), "n", 1, set={"text": "x" * 410_000})):
        with pytest.raises(TooLarge, match="partition/1"):
            table.commit(write)
    with pytest.raises(TooLarge, match="partition/1"):
        table.put_many([item("1", STORED_BYTES_MAX + 1)])


def test_a_commit_over_4_mb_is_refused(table: Table) -> None:
    full = [Put(item(str(number), STORED_BYTES_MAX)) for number in range(COMMIT_BYTES_MAX // STORED_BYTES_MAX + 1)]
    with pytest.raises(TooLarge, match="a commit has at most"):
        table.commit(*full)


@pytest.mark.parametrize("table", [MemoryTable(), QuickTable()], ids=["memory", "quick"])
def test_the_largest_item_is_kept_and_answers_come_in_pages(table: MemoryTable) -> None:
    for number in range(50):
        table.put_many([item(f"{number:02d}", STORED_BYTES_MAX)])
    before = table.reads.requests
    assert len(list(table.query("partition"))) == 50
    assert table.reads.requests - before == 25
    before = table.reads.requests
    assert next(iter(table.query("partition")))["sk"] == "00"
    assert table.reads.requests - before == 1
    before = table.reads.requests
    assert len(table.get_many(("partition", f"{number:02d}") for number in range(50))) == 50
    assert table.reads.requests - before == 2
