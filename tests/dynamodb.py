"""A DynamoDB table as in the template, without a deployment."""

from __future__ import annotations

from typing import Any


def create_table(client: Any, name: str) -> None:
    attributes = ("pk", "sk", "gsi1pk", "gsi1sk")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes],
        KeySchema=_schema("pk", "sk"),
        GlobalSecondaryIndexes=[
            {"IndexName": "gsi1", "KeySchema": _schema("gsi1pk", "gsi1sk"), "Projection": {"ProjectionType": "ALL"}}
        ],
    )


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]
