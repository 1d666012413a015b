"""The table on DynamoDB: calls, pages, retries, and what its errors mean."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from feedlane.aws.dynamodb_requests import item_in, item_out, key_of, query_request, units_of, write_request
from feedlane.aws.pace import WritePace
from feedlane.aws.reached import THROTTLING
from feedlane.store.limits import require_bounds, require_item, require_keys, require_writable
from feedlane.store.sizes import require_fitting_commit, require_small_enough
from feedlane.store.table import (
    ConditionFailed,
    Contended,
    Index,
    Item,
    Key,
    Throttled,
    Write,
    require_each_once,
)

BATCH_GET_KEYS_MAX = 100
BATCH_WRITE_ITEMS_MAX = 25
WRITES_IN_COMMIT_COST = 2
# With random delays, the pauses of all attempts are up to seven seconds: a function has thirty at least.
_ATTEMPTS_MAX = 8
_PAUSE_SECONDS_FIRST, _PAUSE_SECONDS_MAX = 0.05, 3.2
T = TypeVar("T")


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
        require_keys([key])
        answer = self._ask(self._client.get_item, TableName=self._name, Key=key_of(key), ConsistentRead=True)
        return item_out(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        items: dict[Key, Item] = {}
        different = dict.fromkeys(keys)
        require_keys(different)
        for chunk in _chunks(different, BATCH_GET_KEYS_MAX):
            request: Any = {self._name: {"Keys": [key_of(key) for key in chunk], "ConsistentRead": True}}
            for attempt in range(_ATTEMPTS_MAX):
                answer = self._ask(self._client.batch_get_item, RequestItems=request)
                for raw in answer["Responses"].get(self._name, []):
                    item = item_out(raw)
                    items[item["pk"], item["sk"]] = item
                request = answer.get("UnprocessedKeys")
                if not request:
                    break
                # Throttled, or an answer of 16 MB. A key that was never read must not look like an absent item.
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
        require_bounds(pk, prefix, start, end)
        request = query_request(self._name, pk, prefix, start, end, index)
        request["ScanIndexForward"] = not reverse
        remaining = limit
        while remaining is None or remaining > 0:
            if remaining is not None:
                request["Limit"] = remaining
            answer = self._ask(self._client.query, **request)
            for raw in answer["Items"]:
                yield item_out(raw)
            if remaining is not None:
                remaining -= len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def commit(self, *writes: Write) -> None:
        require_each_once(write.key for write in writes)
        require_writable(writes)
        require_fitting_commit(writes)
        requests = [write_request(self._name, write) for write in writes]
        self._pace.delay(units_of(requests, WRITES_IN_COMMIT_COST))
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
        for item in item_list:
            require_item(item)
        require_small_enough(item_list)
        self._write_many({"PutRequest": {"Item": item_in(item)}} for item in item_list)

    def delete_many(self, keys: Iterable[Key]) -> None:
        key_list = list(keys)
        require_each_once(key_list)
        require_keys(key_list)
        self._write_many({"DeleteRequest": {"Key": key_of(key)}} for key in key_list)

    def _write_many(self, requests: Iterable[dict[str, Any]]) -> None:
        for chunk in _chunks(requests, BATCH_WRITE_ITEMS_MAX):
            if (seconds := self._pace.delay(units_of(chunk))) > 0:
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
            if error.response["Error"]["Code"] in THROTTLING:
                raise Throttled("DynamoDB throttles the table") from error
            raise

    def _back_off(self, attempt: int, left: str) -> None:
        """Raises `Throttled` after the last attempt."""
        if attempt == _ATTEMPTS_MAX - 1:
            raise Throttled(f"DynamoDB left {left} after {_ATTEMPTS_MAX} attempts")
        longest = min(_PAUSE_SECONDS_MAX, _PAUSE_SECONDS_FIRST * 2**attempt)
        self._pause(random.uniform(longest / 2, longest))


def _domain_error(error: ClientError, writes: tuple[Write, ...]) -> Exception:
    code: str = error.response["Error"]["Code"]
    if code == "TransactionCanceledException":
        reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        pairs = zip(writes, reasons, strict=False)
        failed = [write.key for write, reason in pairs if reason == "ConditionalCheckFailed"]
        if failed:
            return ConditionFailed(failed)
        if THROTTLING & set(reasons):
            return Throttled("DynamoDB throttles the table")
        if "TransactionConflict" in reasons:
            return Contended([write.key for write in writes])
    if code in {"TransactionConflictException", "TransactionInProgressException"}:
        return Contended([write.key for write in writes])
    return Throttled("DynamoDB throttles the table") if code in THROTTLING else error


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
