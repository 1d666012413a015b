"""A table takes back from a restored one what it lost, and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from cli.table import refilled
from local.instance import Instance

ITEMS = {
    ("FEED#k/a", "LINES#000000000001"): "restored",
    ("FEED#k/a", "FEED"): "restored",
    ("COMPANY#c", "PUSH#1"): "restored",
    ("TOKEN_SET#t", "LEASE"): "restored",
    ("EVENT#k/a", "2026-05-04#e"): "told before",
    ("XERO#tenant#t", "TRAFFIC"): "counted before",
    ("SESSION#s", "SESSION"): "of a Link run",
}


class Tables:
    def __init__(self, client: Any) -> None:
        self.client = client
        self.restored, self.live = (f"refill-{uuid.uuid4()}" for _ in range(2))
        for name in (self.restored, self.live):
            client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            )

    def put(self, table: str, items: dict[tuple[str, str], str]) -> None:
        for (pk, sk), text in items.items():
            self.client.put_item(TableName=table, Item={"pk": {"S": pk}, "sk": {"S": sk}, "text": {"S": text}})

    def found(self, table: str) -> dict[tuple[str, str], str]:
        items = self.client.scan(TableName=table)["Items"]
        return {(item["pk"]["S"], item["sk"]["S"]): item["text"]["S"] for item in items}


@pytest.fixture
def tables(instance: Instance) -> Iterator[Tables]:
    tables = Tables(instance.client("dynamodb"))
    tables.put(tables.restored, ITEMS)
    tables.put(tables.live, {("FEED#k/a", "FEED"): "has gone on since"})
    yield tables
    for name in (tables.restored, tables.live):
        tables.client.delete_table(TableName=name)


MISSING = {"FEED LINES": 1, "COMPANY PUSH": 1, "TOKEN_SET LEASE": 1}


def test_first_it_only_says_what_is_missing(tables: Tables) -> None:
    assert refilled(tables.client, tables.restored, tables.live, write=False) == MISSING
    assert set(tables.found(tables.live)) == {("FEED#k/a", "FEED")}


def test_what_is_missing_comes_back_what_is_there_stays_and_nothing_is_told_again(tables: Tables) -> None:
    assert refilled(tables.client, tables.restored, tables.live, write=True) == MISSING
    found = tables.found(tables.live)
    assert found.pop(("FEED#k/a", "FEED")) == "has gone on since"
    assert set(found) == {("FEED#k/a", "LINES#000000000001"), ("COMPANY#c", "PUSH#1"), ("TOKEN_SET#t", "LEASE")}
    assert refilled(tables.client, tables.restored, tables.live, write=True) == {}
