"""A table in memory that behaves like DynamoDB and passes the same contract tests."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from feedlane.store.limits import require_bounds, require_keys, require_writable
from feedlane.store.sizes import item_bytes, require_fitting_commit, require_small_enough
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

# A request answers at most so much; the rest is asked for with another one.
QUERY_BYTES_MAX = 1_048_576
BATCH_GET_BYTES_MAX = 16_777_216
BATCH_GET_KEYS_MAX = 100


@dataclass
class Reads:
    """What was read so far: requests to the table, and items in their answers, whether or not anybody looks at them."""

    requests: int = 0
    items: int = 0

    def count(self, items: int) -> None:
        self.requests += 1
        self.items += items


class MemoryTable:
    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}
        self.inserted: list[Item] = []
        self.reads = Reads()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Item | None:
        rights.require("dynamodb:GetItem", rights.TABLE, key[0])
        require_keys([key])
        item: Item | None = _copied(self.items.get(key))
        self.reads.count(item is not None)
        return item

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        different_keys = dict.fromkeys(keys)
        if different_keys:
            rights.require("dynamodb:BatchGetItem", rights.TABLE, *(pk for pk, _ in different_keys))
        require_keys(different_keys)
        found = {key: _copied(self.items[key]) for key in different_keys if key in self.items}
        self._count_batches(list(different_keys), found)
        return found

    def _count_batches(self, keys: Sequence[Key], found: dict[Key, Item]) -> None:
        for start in range(0, len(keys), BATCH_GET_KEYS_MAX):
            read = [found[key] for key in keys[start : start + BATCH_GET_KEYS_MAX] if key in found]
            pages = list(_pages(read, BATCH_GET_BYTES_MAX)) or [[]]
            for page in pages:
                self.reads.count(len(page))

    def _answer(self, items: Sequence[Item]) -> Iterator[Item]:
        """The items of a query, page by page: one that nobody needs is not read."""
        for page in _pages(items, QUERY_BYTES_MAX):
            self.reads.count(len(page))
            yield from page
        if not items:
            self.reads.count(0)

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
        rights.require("dynamodb:Query", rights.index(index) if index else rights.TABLE, pk)
        require_bounds(pk, prefix, start, end)
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
        return self._answer([_copied(projected(item, index)) for item in items[:limit]])

    def commit(self, *writes: Write) -> None:
        if not 1 <= len(writes) <= WRITES_PER_COMMIT_MAX:
            raise ValueError("a commit has one to a hundred writes")
        require_each_once(write.key for write in writes)
        require_writable(writes)
        require_fitting_commit(writes)
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
        require_writable(writes)
        require_small_enough(write.item for write in writes)
        _require_batch(writes)
        with self._lock:
            for write in writes:
                self._apply(write)

    def delete_many(self, keys: Iterable[Key]) -> None:
        deletes = [Delete(key) for key in keys]
        require_each_once(delete.key for delete in deletes)
        require_keys(delete.key for delete in deletes)
        _require_batch(deletes)
        with self._lock:
            for delete in deletes:
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
            case Add(key=key, name=name, amount=amount, set=extra, remove=removed, also=also):
                changed: dict[str, Any] = dict(self.items.get(key) or {"pk": key[0], "sk": key[1]})
                for field, more in {name: amount, **also}.items():
                    changed[field] = changed.get(field, 0) + more
                changed.update(extra)
                for field in removed:
                    changed.pop(field, None)
                require_small_enough([changed])
                self.items[key] = changed
            case Condition():
                pass


def _require_batch(writes: Sequence[Write]) -> None:
    if writes:
        rights.require("dynamodb:BatchWriteItem", rights.TABLE, *(write.key[0] for write in writes))


def projected(item: Item, index: Index | None) -> Item:
    """What the index answers of an item: `Index.DUE` has only keys."""
    if index is not Index.DUE:
        return item
    return {name: item[name] for name in ("pk", "sk", *index.keys)}


def _pages(items: Sequence[Item], bytes_max: int) -> Iterator[list[Item]]:
    """The items in pages of at most so many bytes, each with one item at least."""
    # A bound that is known much sooner than the size: no character has more than four bytes.
    if items and 4 * len(repr(items)) <= bytes_max:
        yield list(items)
        return
    page: list[Item] = []
    size = 0
    for item in items:
        size += item_bytes(item)
        if page and size > bytes_max:
            yield page
            page, size = [], item_bytes(item)
        page.append(item)
    if page:
        yield page


def _copied(value: Any) -> Any:
    """A copy of an item: dictionaries and lists are copied, because the values in them are immutable."""
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_copied(part) for part in value]
    return value
