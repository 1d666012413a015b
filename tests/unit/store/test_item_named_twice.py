"""A commit or a batch that names an item twice: every table refuses it, as DynamoDB does."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.store.table import Add, Condition, Delete, Item, ItemNamedTwice, Key, Put, Table, When, Write
from tests.chaos.faults import Faults
from tests.chaos.table import ChaosTable
from tests.chaos.timeline import Timeline
from tests.fakes.quick_table import QuickTable
from tests.fakes.table import MemoryTable

KEY: Key = ("partition", "1")
ITEM: Item = {"pk": "partition", "sk": "1"}
WRITES: list[Write] = [Put(ITEM), Delete(KEY), Add(KEY, "sum", 1), Condition(KEY, When(absent=True))]


class NoClient:
    """DynamoDB that must not be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was called")


def chaos_table() -> ChaosTable:
    """Every fault strikes whenever it can: the mistake shows all the same."""
    timeline = Timeline()
    rng = random.Random(1)
    rng.random = lambda: 0.0  # type: ignore[method-assign]
    faults = Faults(rng, timeline)
    faults.on = True
    return ChaosTable(timeline, faults)


TABLES: list[Callable[[], Table]] = [
    MemoryTable,
    QuickTable,
    chaos_table,
    lambda: DynamoDBTable(NoClient(), "table"),
]


@pytest.fixture(params=TABLES, ids=["memory", "quick", "chaos", "dynamodb"])
def table(request: pytest.FixtureRequest) -> Table:
    table: Table = request.param()
    return table


@pytest.mark.parametrize("first", WRITES, ids=lambda write: type(write).__name__)
@pytest.mark.parametrize("second", WRITES, ids=lambda write: type(write).__name__)
def test_a_commit_that_names_an_item_twice_is_refused_and_says_which(table: Table, first: Write, second: Write) -> None:
    with pytest.raises(ItemNamedTwice, match="partition/1") as refused:
        table.commit(first, Put({"pk": "partition", "sk": "2"}), second)
    assert refused.value.keys == (KEY,)


def test_a_batch_of_writes_or_deletes_that_names_an_item_twice_is_refused(table: Table) -> None:
    with pytest.raises(ItemNamedTwice):
        table.put_many(item for item in (ITEM, ITEM | {"sk": "2"}, ITEM | {"changed": True}))
    with pytest.raises(ItemNamedTwice):
        table.delete_many(key for key in (KEY, KEY))
