"""What a table and queues would be charged for, counted as AWS counts it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from feedlane.store.table import Check, Item, Key, Write
from tests.fakes.quick_table import QuickTable

WRITE_UNIT = 1024
READ_UNIT = 4096
# A query reads on to this size, however few of the items its reader takes.
QUERY_PAGE = 1_000_000


class MeteredTable(QuickTable):
    """Counts DynamoDB's request units: item sizes rounded up, doubled in a transaction, once more for the index.

    Reads are strongly consistent, as `DynamoDBTable` asks for them; an item that is not there costs one unit. A write
    is charged for the larger of the item before and after it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.used: Counter[str] = Counter()

    def get(self, key: Key) -> Item | None:
        found = super().get(key)
        self._read(size_of(found or {}))
        return found

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        wanted = list(dict.fromkeys(keys))
        found = super().get_many(wanted)
        for key in wanted:
            self._read(size_of(found.get(key, {})))
        return found

    def query(self, pk: str, **conditions: Any) -> Iterable[Item]:
        """Charged by the sum of what it reads; from the index half, because that is eventually consistent."""
        found = list(super().query(pk, **conditions))
        read = 0
        for item in found:
            read += size_of(item)
            if read > QUERY_PAGE:
                break
        self._read(read, 0.5 if conditions.get("index") else 1)
        return found

    def commit(self, *writes: Write) -> None:
        before = {write.key: self.items.get(write.key) for write in writes}
        super().commit(*writes)
        for write in writes:
            self._written(write.key, before[write.key], times=2, indexed=not isinstance(write, Check))

    def put_many(self, items: Iterable[Item]) -> None:
        some = list(items)
        before = {(item["pk"], item["sk"]): self.items.get((item["pk"], item["sk"])) for item in some}
        super().put_many(some)
        for key, item in before.items():
            self._written(key, item, times=1)

    def _read(self, size: int, times: float = 1) -> None:
        self.used["dynamodb_read_unit"] += max(1, math.ceil(size / READ_UNIT)) * times  # type: ignore[assignment]

    def _written(self, key: Key, before: Item | None, times: int, indexed: bool = True) -> None:
        after = self.items.get(key)
        units = max(1, math.ceil(max(size_of(before or {}), size_of(after or {})) / WRITE_UNIT))
        in_index = "gsi1pk" in (before or {}) or "gsi1pk" in (after or {})
        self.used["dynamodb_write_unit"] += units * times + (units if in_index and indexed else 0)


def size_of(value: Any) -> int:
    """Bytes as DynamoDB counts them: names and values, no overhead for keys."""
    match value:
        case None | bool():
            return 1
        case str():
            return len(value.encode())
        case bytes():
            return len(value)
        case int() | Decimal():
            return math.ceil(len(str(abs(value))) / 2) + 1 + (value < 0)
        case dict():
            nested = sum(size_of(name) + size_of(item) + 1 for name, item in value.items())
            return nested + 3
        case _:
            return sum(size_of(item) + 1 for item in value) + 3
