"""A table in memory that behaves like DynamoDB and passes the same contract tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from feedlane.store.table import (
    WRITES_PER_COMMIT_MAX,
    Add,
    Condition,
    ConditionFailed,
    Delete,
    Index,
    Item,
    Key,
    Put,
    When,
    Write,
    require_each_once,
)
from tests import rights


class MemoryTable:
    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}
        self.inserted: list[Item] = []
        self._lock = threading.Lock()

    def get(self, key: Key) -> Item | None:
        rights.require("dynamodb:GetItem", rights.TABLE)
        item: Item | None = _copied(self.items.get(key))
        return item

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        different_keys = dict.fromkeys(keys)
        if different_keys:
            rights.require("dynamodb:BatchGetItem", rights.TABLE)
        return {key: _copied(self.items[key]) for key in different_keys if key in self.items}

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
    ) -> Iterable[Item]:
        rights.require("dynamodb:Query", rights.index(index) if index else rights.TABLE)
        if start is not None and end is not None and start > end:
            raise ValueError("BETWEEN requires an upper bound that is not below the lower one")
        hash_name, range_name = index.keys if index else ("pk", "sk")
        items = [
            item
            for item in list(self.items.values())
            if item.get(hash_name) == pk
            and item.get(range_name, "").startswith(prefix)
            and (start is None or item[range_name] >= start)
            and (end is None or item[range_name] <= end)
        ]
        items.sort(key=lambda item: item[range_name], reverse=reverse)
        return [_copied(projected(item, index)) for item in items[:limit]]

    def commit(self, *writes: Write) -> None:
        if not 1 <= len(writes) <= WRITES_PER_COMMIT_MAX:
            raise ValueError("a commit has one to a hundred writes")
        require_each_once(write.key for write in writes)
        rights.require_writes(writes)
        with self._lock:
            failed = [write.key for write in writes if not self._allows(write)]
            if failed:
                raise ConditionFailed(failed)
            for write in writes:
                self._apply(write)

    def put_many(self, items: Iterable[Item]) -> None:
        writes = [Put(item) for item in items]
        require_each_once(write.key for write in writes)
        with self._lock:
            for write in writes:
                rights.require("dynamodb:BatchWriteItem", rights.TABLE)
                self._apply(write)

    def delete_many(self, keys: Iterable[Key]) -> None:
        deletes = [Delete(key) for key in keys]
        require_each_once(delete.key for delete in deletes)
        with self._lock:
            for delete in deletes:
                rights.require("dynamodb:BatchWriteItem", rights.TABLE)
                self._apply(delete)

    def _allows(self, write: Write) -> bool:
        item = self.items.get(write.key)
        if isinstance(write, Add) and write.below is not None:
            return write.when.is_met_by(item) and (item or {}).get(write.name, 0) < write.below
        when: When = write.when
        return when.is_met_by(item)

    def _apply(self, write: Write) -> None:
        match write:
            case Put(item=item):
                stored = _copied({name: value for name, value in item.items() if value is not None})
                if write.key not in self.items:
                    self.inserted.append(stored)
                self.items[write.key] = stored
            case Delete(key=key):
                self.items.pop(key, None)
            case Add(key=key, name=name, amount=amount, set=extra, remove=removed):
                changed: dict[str, Any] = self.items.setdefault(key, {"pk": key[0], "sk": key[1]})
                changed[name] = changed.get(name, 0) + amount
                changed.update(extra)
                for field in removed:
                    changed.pop(field, None)
            case Condition():
                pass


def projected(item: Item, index: Index | None) -> Item:
    """What the index answers of an item: `Index.DUE` has only keys."""
    if index is not Index.DUE:
        return item
    return {name: item[name] for name in ("pk", "sk", *index.keys)}


def _copied(value: Any) -> Any:
    """A copy of an item: dictionaries and lists are copied, because the values in them are immutable."""
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_copied(part) for part in value]
    return value
