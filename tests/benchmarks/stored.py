"""The GB-months that items take up within a year: in the table, and again in each index that has them.

An item counts until it expires. DynamoDB adds 100 bytes to each item, in the table as in an index, and an index here
has the whole item. Point-in-time recovery is charged by the size of the table without these indexes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from feedlane.store.table import Item, Key
from tests.benchmarks.metered import size_of
from tests.stack.template import of_type

ITEM_OVERHEAD_BYTES = 100
MONTHS = 12
_MONTH_SECONDS = 365 * 86_400 / 12
_GB = 1e9


def year_of(items: Mapping[Key, Item], before: Iterable[Key], now: datetime) -> Counter[str]:
    """The units of what has been added to the table since it had only the items `before`."""
    earlier, units = set(before), Counter[str]()
    [table] = [table["Properties"] for table in of_type("AWS::DynamoDB::Table").values()]
    backed_up = table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    for key, item in items.items():
        if key not in earlier:
            gb_months: float = item_bytes(item) / _GB * _months(item, now)
            copies = 1 + sum(name in item for name in _index_keys())
            units["dynamodb_gb_month"] += gb_months * copies  # type: ignore[assignment]
            units["dynamodb_backup_gb_month"] += gb_months if backed_up else 0  # type: ignore[assignment]
    return units


def item_bytes(item: Item) -> int:
    return sum(size_of(name) + size_of(value) for name, value in item.items()) + ITEM_OVERHEAD_BYTES


def _months(item: Item, now: datetime) -> float:
    if "expires_at" not in item:
        return MONTHS
    return max(0.0, min(MONTHS, (float(item["expires_at"]) - now.timestamp()) / _MONTH_SECONDS))


@lru_cache
def _index_keys() -> tuple[str, ...]:
    """The partition keys of the indexes. An item without one is not in that index."""
    [table] = of_type("AWS::DynamoDB::Table").values()
    indexes = table["Properties"]["GlobalSecondaryIndexes"]
    return tuple(part["AttributeName"] for index in indexes for part in index["KeySchema"] if part["KeyType"] == "HASH")
