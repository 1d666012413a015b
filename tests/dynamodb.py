"""A DynamoDB table as in the template, without a deployment."""

from __future__ import annotations

from typing import Any

from feedlane.store.table import Index


def create_table(client: Any, name: str) -> None:
    attributes = ("pk", "sk", *Index.LISTS.keys, *Index.DUE.keys)
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes],
        KeySchema=_schema("pk", "sk"),
        GlobalSecondaryIndexes=[
            {"IndexName": index.value, "KeySchema": _schema(*index.keys), "Projection": {"ProjectionType": projection}}
            for index, projection in ((Index.LISTS, "ALL"), (Index.DUE, "KEYS_ONLY"))
        ],
    )


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]
