"""The fake table and the adapter refuse what DynamoDB refuses, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.store.limits import PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX, NotStorable
from feedlane.store.table import Add, Delete, Put, Table
from tests.fakes.quick_table import QuickTable
from tests.fakes.table import MemoryTable

HALF_A_PAIR = "a\ud83d"
KEY = ("p", "s")


class NoClient:
    """Fails the test if the adapter sends anything."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was called")


@pytest.fixture(params=[MemoryTable, QuickTable, lambda: DynamoDBTable(NoClient(), "table")])
def table(request: pytest.FixtureRequest) -> Table:
    made: Table = request.param()
    return made


def item(**fields: Any) -> dict[str, Any]:
    return {"pk": "p", "sk": "s"} | fields


@pytest.mark.parametrize(
    "refused",
    [
        item(text=HALF_A_PAIR),
        item(nested={"list": [HALF_A_PAIR]}),
        item(nested={HALF_A_PAIR: 1}),
        item(pk=HALF_A_PAIR),
        item(sk=""),
        item(pk="p" * (PARTITION_KEY_BYTES_MAX + 1)),
        item(sk="\u00e9" * (SORT_KEY_BYTES_MAX // 2 + 1)),
        item(gsi1pk="list", gsi1sk=""),
        item(number=10**38),
    ],
)
def test_an_item_that_cannot_be_kept_is_not_sent(table: Table, refused: dict[str, Any]) -> None:
    with pytest.raises(NotStorable):
        table.commit(Put(refused))
    with pytest.raises(NotStorable):
        table.put_many([refused])


@pytest.mark.parametrize("key", [(HALF_A_PAIR, "s"), ("p", "x" * 1025)])
@pytest.mark.parametrize(
    "call",
    [
        lambda table, key: table.get(key),
        lambda table, key: table.get_many([key]),
        lambda table, key: table.commit(Delete(key)),
        lambda table, key: table.commit(Add(key, "n", 1)),
        lambda table, key: table.delete_many([key]),
        lambda table, key: list(table.query(key[0], start=key[1])),
        lambda table, key: list(table.query("p", prefix=key[0] + key[1] * 2)),
    ],
)
def test_a_key_that_no_item_can_have_is_not_sent(table: Table, key: Any, call: Callable[[Table, Any], object]) -> None:
    with pytest.raises(NotStorable):
        call(table, key)


@pytest.mark.parametrize("table", [MemoryTable()])
def test_whole_pairs_and_large_items_are_kept(table: Table) -> None:
    kept = item(text="x" * 400_000, emoji="\U0001f600", nothing=None)
    table.commit(Put(kept))
    assert (table.get(KEY) or {})["emoji"] == "\U0001f600"
