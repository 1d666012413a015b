"""A table of which some items are read already, in one request instead of one each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedlane.store.store import Store
from feedlane.store.table import Item, Key, Table, Write


def with_read_ahead(store: Store, keys: Iterable[Key]) -> Store:
    """The store as it is at this moment for these keys: what is decided on them is written under conditions."""
    return Store(ReadAheadTable(store.table, keys))


class ReadAheadTable:
    """The items of `keys` as they were when this was made; everything else is asked of the table."""

    def __init__(self, table: Table, keys: Iterable[Key]) -> None:
        self._table = table
        self._asked = frozenset(keys)
        self._found = table.get_many(self._asked)

    def get(self, key: Key) -> Item | None:
        return self._found.get(key) if key in self._asked else self._table.get(key)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        wanted = set(keys)
        others = wanted - self._asked
        found = {key: self._found[key] for key in wanted & self._asked if key in self._found}
        return found | (self._table.get_many(others) if others else {})

    def query(self, pk: str, **how: Any) -> Iterable[Item]:
        return self._table.query(pk, **how)

    def commit(self, *writes: Write) -> None:
        self._table.commit(*writes)

    def put_many(self, items: Iterable[Item]) -> None:
        self._table.put_many(items)

    def delete_many(self, keys: Iterable[Key]) -> None:
        self._table.delete_many(keys)
