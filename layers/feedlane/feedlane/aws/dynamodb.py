"""The table on DynamoDB. The only module that knows DynamoDB's requests and error codes."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from feedlane.aws.pace import WritePace
from feedlane.store.sizes import require_fitting_commit, require_small_enough
from feedlane.store.table import (
    Add,
    Condition,
    ConditionFailed,
    Contended,
    Delete,
    Index,
    Item,
    Key,
    Put,
    Throttled,
    When,
    Write,
    require_each_once,
)

BATCH_GET_KEYS_MAX = 100
BATCH_WRITE_ITEMS_MAX = 25
_ATTEMPTS_MAX = 8
# With random delays, the pauses of all attempts are up to seven seconds: a function has thirty at least.
WRITES_IN_COMMIT_COST = 2
_PAUSE_SECONDS_FIRST, _PAUSE_SECONDS_MAX = 0.05, 3.2
_THROTTLED = {"ThrottlingException", "ThrottlingError", "ProvisionedThroughputExceededException",
    "ProvisionedThroughputExceeded", "RequestLimitExceeded"}  # fmt: skip
T = TypeVar("T")

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class DynamoDBTable:
    """`client` is boto3's DynamoDB client. What is throttled is retried with growing, random pauses.

    Many writes to one partition are spread over time, so that they are not throttled in the first place.
    """

    def __init__(
        self, client: Any, name: str, pause: Callable[[float], None] = time.sleep, pace: WritePace | None = None
    ) -> None:
        self._client = client
        self._name = name
        self._pause = pause
        self._pace = pace or WritePace()

    def get(self, key: Key) -> Item | None:
        answer = self._ask(self._client.get_item, TableName=self._name, Key=_key(key), ConsistentRead=True)
        return _from_dynamodb(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        items: dict[Key, Item] = {}
        for chunk in _chunks(dict.fromkeys(keys), BATCH_GET_KEYS_MAX):
            request: Any = {self._name: {"Keys": [_key(key) for key in chunk], "ConsistentRead": True}}
            for attempt in range(_ATTEMPTS_MAX):
                answer = self._ask(self._client.batch_get_item, RequestItems=request)
                raw_items = answer["Responses"].get(self._name, [])
                for raw in raw_items:
                    item = _from_dynamodb(raw)
                    items[item["pk"], item["sk"]] = item
                request = answer.get("UnprocessedKeys")
                if not request:
                    break
                # An answer has 16 MB at most: one that has items is not throttled.
                if not raw_items:
                    self._back_off(attempt, "keys unread")
        return items

    def query(
        self,
        pk: str,
        *,
        prefix: str = "",
        start: str | None = None,
        end: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
        index: Index | None = None,
    ) -> Iterator[Item]:
        request = self._query_request(pk, prefix, start, end, index)
        request["ScanIndexForward"] = not reverse
        remaining = limit
        while remaining is None or remaining > 0:
            if remaining is not None:
                request["Limit"] = remaining
            answer = self._ask(self._client.query, **request)
            for raw in answer["Items"]:
                yield _from_dynamodb(raw)
            if remaining is not None:
                remaining -= len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _query_request(
        self, pk: str, prefix: str, start: str | None, end: str | None, index: Index | None
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
            "TableName": self._name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {name: _serialize(value) for name, value in values.items()},
        }
        return request | ({"IndexName": index.value} if index else {"ConsistentRead": True})

    def commit(self, *writes: Write) -> None:
        require_each_once(write.key for write in writes)
        require_fitting_commit(writes)
        requests = [self._request(write) for write in writes]
        self._pace.delay(_units(requests, WRITES_IN_COMMIT_COST))
        for attempt in range(_ATTEMPTS_MAX):
            try:
                self._client.transact_write_items(TransactItems=requests)
                return
            except ClientError as error:
                problem = _domain_error(error, writes)
                if not isinstance(problem, Throttled):
                    raise problem from error
            # Nothing of it was written.
            self._back_off(attempt, "a commit unwritten")

    def put_many(self, items: Iterable[Item]) -> None:
        item_list = list(items)
        require_each_once((item["pk"], item["sk"]) for item in item_list)
        require_small_enough(item_list)
        self._write_many({"PutRequest": {"Item": _to_dynamodb(item)}} for item in item_list)

    def delete_many(self, keys: Iterable[Key]) -> None:
        key_list = list(keys)
        require_each_once(key_list)
        self._write_many({"DeleteRequest": {"Key": _key(key)}} for key in key_list)

    def _write_many(self, requests: Iterable[dict[str, Any]]) -> None:
        for chunk in _chunks(requests, BATCH_WRITE_ITEMS_MAX):
            if (seconds := self._pace.delay(_units(chunk))) > 0:
                self._pause(seconds)
            unprocessed = chunk
            for attempt in range(_ATTEMPTS_MAX):
                answer = self._ask(self._client.batch_write_item, RequestItems={self._name: unprocessed})
                unprocessed = answer.get("UnprocessedItems", {}).get(self._name, [])
                if not unprocessed:
                    break
                self._back_off(attempt, "items unwritten")

    def _ask(self, call: Callable[..., Any], **request: Any) -> Any:
        """boto3 has retried by then. Raises `Throttled`."""
        try:
            return call(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] in _THROTTLED:
                raise Throttled("DynamoDB throttles the table") from error
            raise

    def _back_off(self, attempt: int, left: str) -> None:
        """Raises `Throttled` after the last attempt."""
        if attempt == _ATTEMPTS_MAX - 1:
            raise Throttled(f"DynamoDB left {left} after {_ATTEMPTS_MAX} attempts")
        longest = min(_PAUSE_SECONDS_MAX, _PAUSE_SECONDS_FIRST * 2**attempt)
        self._pause(random.uniform(longest / 2, longest))

    def _request(self, write: Write) -> dict[str, Any]:
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        condition = _condition_expression(write.when, names, values)
        common: dict[str, Any] = {"TableName": self._name}
        match write:
            case Put(item=item):
                kind, common["Item"] = "Put", _to_dynamodb(item)
            case Delete(key=key):
                kind, common["Key"] = "Delete", _key(key)
            case Condition(key=key):
                kind, common["Key"] = "ConditionCheck", _key(key)
            case Add():
                kind, common["Key"] = "Update", _key(write.key)
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


def _units(requests: Iterable[dict[str, Any]], times: int = 1) -> Counter[str]:
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
    assignments = []
    for number, (name, value) in enumerate(write.set.items()):
        names[f"#set{number}"], values[f":set{number}"] = name, _serialize(value)
        assignments.append(f"#set{number} = :set{number}")
    removals = []
    for number, name in enumerate(write.remove):
        names[f"#remove{number}"] = name
        removals.append(f"#remove{number}")
    sets = f" SET {', '.join(assignments)}" if assignments else ""
    return f"ADD #add :add{sets}" + (f" REMOVE {', '.join(removals)}" if removals else "")


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


def _domain_error(error: ClientError, writes: tuple[Write, ...]) -> Exception:
    code: str = error.response["Error"]["Code"]
    if code == "TransactionCanceledException":
        reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        pairs = zip(writes, reasons, strict=False)
        failed = [write.key for write, reason in pairs if reason == "ConditionalCheckFailed"]
        if failed:
            return ConditionFailed(failed)
        if _THROTTLED & set(reasons):
            return Throttled("DynamoDB throttles the table")
        if "TransactionConflict" in reasons:
            return Contended([write.key for write in writes])
    if code in {"TransactionConflictException", "TransactionInProgressException"}:
        return Contended([write.key for write in writes])
    return Throttled("DynamoDB throttles the table") if code in _THROTTLED else error


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _to_dynamodb(item: Item) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in item.items() if value is not None}


def _from_dynamodb(raw: dict[str, Any]) -> Item:
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


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
