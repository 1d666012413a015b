"""Both sides of the table port: the fake in memory, and DynamoDB as MiniStack has it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.store.table import Key, Table
from tests.dynamodb import create_table
from tests.fakes.table import MemoryTable

THERE: Key = ("there", "1")
NOWHERE: Key = ("nowhere", "1")


@pytest.fixture(scope="module", params=["memory", "dynamodb"])
def shared(request: pytest.FixtureRequest) -> Iterator[Table]:
    """One table for the module: each test has partitions of its own."""
    if request.param == "memory":
        yield MemoryTable()
        return
    client, name = request.getfixturevalue("instance").client("dynamodb"), f"contract-{uuid.uuid4()}"
    create_table(client, name)
    try:
        yield DynamoDBTable(client, name)
    finally:
        client.delete_table(TableName=name)


@pytest.fixture
def table(shared: Table) -> Table:
    """With nothing in the partitions that conditions are tried on."""
    shared.delete_many([THERE, NOWHERE])
    return shared
