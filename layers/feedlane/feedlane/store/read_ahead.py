"""A table that has read some of its items in advance, in one request instead of one each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedlane.store.store import Store
from feedlane.store.table import Item, Key, Table, Write


def with_read_ahead(store: Store, keys: Iterable[Key]) -> Store:
    """The store with a snapshot of these keys: a write that is decided on it needs a condition."""
    return Store(ReadAheadTable(store.table, keys))


class ReadAheadTable:
    """Answers `keys` from a snapshot, read when this is made, and every other key from the table."""

    def __init__(self, table: Table, keys: Iterable[Key]) -> None:
        self._table = table
        self._read_keys = frozenset(keys)
        self._read_items = table.get_many(self._read_keys)

    def get(self, key: Key) -> Item | None:
        return self._read_items.get(key) if key in self._read_keys else self._table.get(key)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        requested = set(keys)
        others = requested - self._read_keys
        items = {key: self._read_items[key] for key in requested if key in self._read_items}
        return items | (self._table.get_many(others) if others else {})

    def query(self, pk: str, **bounds: Any) -> Iterable[Item]:
        return self._table.query(pk, **bounds)

    def commit(self, *writes: Write) -> None:
        self._table.commit(*writes)

    def put_many(self, items: Iterable[Item]) -> None:
        self._table.put_many(items)

    def delete_many(self, keys: Iterable[Key]) -> None:
        self._table.delete_many(keys)
