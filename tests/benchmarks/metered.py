"""A table that counts the units that DynamoDB would charge."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from feedlane.store.table import Condition, Index, Item, Key, Write
from tests.fakes.quick_table import QuickTable

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
# A query reads a page of this size, however few of its items are used.
QUERY_PAGE_BYTES = 1_000_000


class MeteredTable(QuickTable):
    """Counts DynamoDB's request units: item sizes rounded up, doubled in a transaction, once more for each index.

    Reads are strongly consistent, as in `DynamoDBTable`; a missing item costs one unit. A write is charged for the
    larger of the item before and after it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.used: Counter[str] = Counter()

    def get(self, key: Key) -> Item | None:
        item = super().get(key)
        self._count_read(size_of(item or {}))
        return item

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        wanted = list(dict.fromkeys(keys))
        items = super().get_many(wanted)
        for key in wanted:
            self._count_read(size_of(items.get(key, {})))
        return items

    def query(self, pk: str, **conditions: Any) -> Iterable[Item]:
        """Charged by the total size read; half for an index, whose reads are eventually consistent."""
        items = list(super().query(pk, **conditions))
        size = 0
        for item in items:
            size += size_of(item)
            if size > QUERY_PAGE_BYTES:
                break
        self._count_read(size, 0.5 if conditions.get("index") else 1)
        return items

    def commit(self, *writes: Write) -> None:
        before = {write.key: self.items.get(write.key) for write in writes}
        super().commit(*writes)
        for write in writes:
            self._count_write(write.key, before[write.key], times=2, indexed=not isinstance(write, Condition))

    def put_many(self, items: Iterable[Item]) -> None:
        batch = list(items)
        before = {(item["pk"], item["sk"]): self.items.get((item["pk"], item["sk"])) for item in batch}
        super().put_many(batch)
        for key, item in before.items():
            self._count_write(key, item, times=1)

    def _count_read(self, size: int, times: float = 1) -> None:
        self.used["dynamodb_read_unit"] += max(1, math.ceil(size / READ_UNIT_BYTES)) * times  # type: ignore[assignment]

    def _count_write(self, key: Key, before: Item | None, times: int, indexed: bool = True) -> None:
        after = self.items.get(key)
        units = max(1, math.ceil(max(size_of(before or {}), size_of(after or {})) / WRITE_UNIT_BYTES))
        self.used["dynamodb_write_unit"] += units * times
        if indexed:
            listed = Index.LISTS.keys[0] in (before or {}) or Index.LISTS.keys[0] in (after or {})
            self.used["dynamodb_write_unit"] += units if listed else 0
            self.used["dynamodb_write_unit"] += _due_units(before or {}, after or {})


def _due_units(before: Item, after: Item) -> int:
    """The due index has only keys: it is written when an item comes or goes, and twice when it moves."""
    places = [tuple(item.get(name) for name in Index.DUE.keys) for item in (before, after)]
    return 0 if places[0] == places[1] else sum(place != (None, None) for place in places)


def size_of(value: Any) -> int:
    """The size in bytes as DynamoDB counts it: names and values, without overhead for keys."""
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
