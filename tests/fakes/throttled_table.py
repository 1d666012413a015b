"""A table whose partitions take 1,000 write units a second each, behind the real adapter, on a clock of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.aws.pace import WritePace
from feedlane.aws.reached import Reached
from feedlane.store.table import Item, Write
from tests.fakes.quick_table import QuickTable

UNITS_PER_SECOND = 1_000
REQUEST_SECONDS = 0.005
_deserialize = TypeDeserializer().deserialize


class ThrottledTable(QuickTable):
    """`seconds` is its time: requests take some of it, and pauses. `throttled` counts writes that were refused.

    `others` are units a second that others write to every partition. `paced=False`: the adapter writes as fast as it
    can.
    """

    def __init__(self, others: int = 0, paced: bool = True) -> None:
        super().__init__()
        self.seconds = 0.0
        self.throttled = 0
        self.pauses: list[float] = []
        self._limit = UNITS_PER_SECOND - others
        self._used: dict[tuple[str, int], float] = defaultdict(float)
        pace = WritePace(lambda: self.seconds)
        if not paced:
            pace.delay = lambda units: 0.0  # type: ignore[method-assign]
        self._commit: Callable[[], None] = lambda: None
        self._dynamodb = DynamoDBTable(Reached(self, "dynamodb"), "table", self._pause, pace)

    def put_many(self, items: Iterable[Item]) -> None:
        self._dynamodb.put_many(items)

    def commit(self, *writes: Write) -> None:
        self._commit = lambda: super(ThrottledTable, self).commit(*writes)
        self._dynamodb.commit(*writes)

    # what the adapter asks boto3's client for

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        self.seconds += REQUEST_SECONDS
        [(name, requests)] = request["RequestItems"].items()
        left = [request for request in requests if not self._takes(_raw_item(request), 1)]
        written = [request for request in requests if request not in left]
        super().put_many(
            {field: _value(value) for field, value in request["PutRequest"]["Item"].items()} for request in written
        )
        return {"UnprocessedItems": {name: left} if left else {}}

    def transact_write_items(self, **request: Any) -> None:
        self.seconds += REQUEST_SECONDS
        before = dict(self._used)
        codes = ["None" if self._takes(_raw_item(item), 2) else "ThrottlingError" for item in request["TransactItems"]]
        if "ThrottlingError" in codes:
            self._used = defaultdict(float, before)
            error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": _reasons(codes)}
            raise ClientError(error, "TransactWriteItems")  # type: ignore[arg-type]
        self._commit()

    def _takes(self, raw: dict[str, Any], times: int) -> bool:
        size = sum(len(value) for field in raw.values() for value in field.values() if isinstance(value, (str, bytes)))
        units = times * (1 + size // 1024)
        place = (raw["pk"]["S"], int(self.seconds))
        # An item may take more than what is left of a second, as long as something is left.
        if self._used[place] >= self._limit:
            self.throttled += 1
            return False
        self._used[place] += units
        return True

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds


def _raw_item(request: dict[str, Any]) -> dict[str, Any]:
    [inner] = request.values()
    raw: dict[str, Any] = inner.get("Item") or inner["Key"]
    return raw


def _reasons(codes: list[str]) -> list[dict[str, str]]:
    return [{"Code": code} for code in codes]


def _value(raw: dict[str, Any]) -> Any:
    value = _deserialize(raw)
    return int(value) if "N" in raw else bytes(value.value) if "B" in raw else value
