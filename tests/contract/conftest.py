"""Both sides of the table port: the fake in memory, and DynamoDB as MiniStack has it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from feedlane.store.dynamodb import DynamoDBTable
from feedlane.store.memory import MemoryTable
from feedlane.store.table import (
    Key,
    Table,
)

THERE: Key = ("there", "1")
NOWHERE: Key = ("nowhere", "1")


@pytest.fixture(scope="module", params=["memory", "dynamodb"])
def shared(request: pytest.FixtureRequest) -> Iterator[Table]:
    """One table for the module: each test has partitions of its own."""
    if request.param == "memory":
        yield MemoryTable()
        return
    client, name = request.getfixturevalue("instance").client("dynamodb"), f"contract-{uuid.uuid4()}"
    names = ("pk", "sk", "gsi1pk", "gsi1sk")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in names],
        KeySchema=_schema("pk", "sk"),
        GlobalSecondaryIndexes=[
            {"IndexName": "gsi1", "KeySchema": _schema("gsi1pk", "gsi1sk"), "Projection": {"ProjectionType": "ALL"}}
        ],
    )
    try:
        yield DynamoDBTable(client, name)
    finally:
        client.delete_table(TableName=name)


@pytest.fixture
def table(shared: Table) -> Table:
    """With nothing in the partitions that conditions are tried on."""
    shared.delete_many([THERE, NOWHERE])
    return shared


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]
