"""DynamoDB's requests and items: how the writes, conditions and values of the store are written for it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

from feedlane.store.table import Add, Condition, Delete, Index, Item, Key, Put, When, Write

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def query_request(
    table: str, pk: str, prefix: str, start: str | None, end: str | None, index: Index | None
) -> dict[str, Any]:
    hash_name, range_name = index.keys if index else ("pk", "sk")
    condition, values = f"{hash_name} = :pk", {":pk": pk}
    if prefix:
        condition += f" AND begins_with({range_name}, :prefix)"
        values[":prefix"] = prefix
    elif start is not None and end is not None:
        condition += f" AND {range_name} BETWEEN :start AND :end"
        values |= {":start": start, ":end": end}
    elif start is not None:
        condition += f" AND {range_name} >= :start"
        values[":start"] = start
    elif end is not None:
        condition += f" AND {range_name} <= :end"
        values[":end"] = end
    request = {
        "TableName": table,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {name: _serialize(value) for name, value in values.items()},
    }
    return request | ({"IndexName": index.value} if index else {"ConsistentRead": True})


def write_request(table: str, write: Write) -> dict[str, Any]:
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    condition = _condition_expression(write.when, names, values)
    common: dict[str, Any] = {"TableName": table}
    match write:
        case Put(item=item):
            kind, common["Item"] = "Put", item_in(item)
        case Delete(key=key):
            kind, common["Key"] = "Delete", key_of(key)
        case Condition(key=key):
            kind, common["Key"] = "ConditionCheck", key_of(key)
        case Add():
            kind, common["Key"] = "Update", key_of(write.key)
            common["UpdateExpression"] = _update_expression(write, names, values)
            if write.below is not None:
                names["#sum"], values[":below"] = write.name, _serialize(write.below)
                limit = "(attribute_not_exists(#sum) OR #sum < :below)"
                condition = f"({condition}) AND {limit}" if condition else limit
    if condition:
        common["ConditionExpression"] = condition
    if names:
        common["ExpressionAttributeNames"] = names
    if values:
        common["ExpressionAttributeValues"] = values
    return {kind: common}


def units_of(requests: Iterable[dict[str, Any]], times: int = 1) -> Counter[str]:
    """The write units of these requests by partition: one for each kilobyte of an item that is put, else one."""
    units: Counter[str] = Counter()
    for request in requests:
        [parts] = request.values()
        raw = parts.get("Item") or parts["Key"]
        units[raw["pk"]["S"]] += times * (1 + _raw_bytes(raw) // 1024)
    return units


def _raw_bytes(item: dict[str, Any]) -> int:
    """Approximately: only texts and bytes can be large."""
    return sum(len(value) for field in item.values() for value in field.values() if isinstance(value, (str, bytes)))


def _update_expression(write: Add, names: dict[str, str], values: dict[str, Any]) -> str:
    names["#add"], values[":add"] = write.name, _serialize(write.amount)
    additions = ["#add :add"]
    for number, (name, amount) in enumerate(write.also.items()):
        names[f"#add{number}"], values[f":add{number}"] = name, _serialize(amount)
        additions.append(f"#add{number} :add{number}")
    assignments = []
    for number, (name, value) in enumerate(write.set.items()):
        names[f"#set{number}"], values[f":set{number}"] = name, _serialize(value)
        assignments.append(f"#set{number} = :set{number}")
    removals = []
    for number, name in enumerate(write.remove):
        names[f"#remove{number}"] = name
        removals.append(f"#remove{number}")
    sets = f" SET {', '.join(assignments)}" if assignments else ""
    return f"ADD {', '.join(additions)}{sets}" + (f" REMOVE {', '.join(removals)}" if removals else "")


def _condition_expression(when: When, names: dict[str, str], values: dict[str, Any]) -> str:
    parts = []
    for word, sign, fields in (("equal", "=", when.equal), ("before", "<", when.before)):
        for number, (name, value) in enumerate(fields.items()):
            names[f"#{word}{number}"], values[f":{word}{number}"] = name, _serialize(value)
            parts.append(f"#{word}{number} {sign} :{word}{number}")
    condition = " AND ".join(parts)
    if when.absent:
        return f"attribute_not_exists(pk) OR ({condition})" if condition else "attribute_not_exists(pk)"
    if when.exists and not condition:
        return "attribute_exists(pk)"
    return condition


def key_of(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def item_in(item: Item) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in item.items() if value is not None}


def item_out(raw: dict[str, Any]) -> Item:
    return {name: _plain_value(_deserialize(value)) for name, value in raw.items()}


def _plain_value(value: Any) -> Any:
    """DynamoDB's numbers and binaries as Python's own: every number in the table is whole."""
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, Binary):
        return bytes(value)
    if isinstance(value, dict):
        return {name: _plain_value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    return value
