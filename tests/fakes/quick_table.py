"""A table in memory that is fast at any size, so that benchmarks measure the product and not the fake."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any

from feedlane.store.limits import require_bounds, require_keys
from feedlane.store.sizes import require_small_enough
from feedlane.store.table import Add, Condition, Delete, Index, Item, Key, Put, Write
from tests import rights
from tests.fakes.table import MemoryTable, projected


class QuickTable(MemoryTable):
    """`MemoryTable` with its items kept in order, and without copies, because no caller changes an item.

    It answers as `MemoryTable` does, but the cost of a query depends only on its results, as in DynamoDB. `inserted`
    has only events.
    """

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, dict[str, None]] = defaultdict(dict)
        self._sorted: dict[str, list[str]] = {}
        self._indexes: dict[Index, dict[str, _Partition]] = {
            index: defaultdict(partial(_Partition, index)) for index in Index
        }
        self._listings = [(*index.keys, partitions) for index, partitions in self._indexes.items()]

    def get(self, key: Key) -> Item | None:
        rights.require("dynamodb:GetItem", rights.TABLE, key[0])
        require_keys([key])
        item = self.items.get(key)
        self.reads.count(item is not None)
        return item

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        listed = list(dict.fromkeys(keys))
        if listed:
            rights.require("dynamodb:BatchGetItem", rights.TABLE, *(pk for pk, _ in listed))
        require_keys(listed)
        found = {key: self.items[key] for key in listed if key in self.items}
        self._count_batches(listed, found)
        return found

    def query(
        self, pk: str, *, index: Index | None = None, reverse: bool = False, limit: int | None = None, **bounds: Any
    ) -> Iterable[Item]:
        rights.require("dynamodb:Query", rights.index(index) if index else rights.TABLE, pk)
        require_bounds(pk, bounds.get("prefix", ""), bounds.get("start"), bounds.get("end"))
        if index:
            partition = self._indexes[index][pk]
            items = [
                projected(partition.items[key], index) for key in partition.keys[_within(partition.names, **bounds)]
            ]
        else:
            names = self._in_order(pk)
            items = [self.items[pk, name] for name in names[_within(names, **bounds)]]
        if reverse:
            items.reverse()
        return self._answer(items[:limit])

    def listed(self, index: Index) -> dict[str, _Partition]:
        """The partitions of the index, by name."""
        return self._indexes[index]

    def copy_from(self, other: QuickTable) -> None:
        """Takes over what the other one has, much sooner than by putting its items again."""
        self.items = dict(other.items)
        self.inserted = list(other.inserted)
        self._names = defaultdict(dict, {pk: dict(names) for pk, names in other._names.items()})
        self._sorted = {pk: list(names) for pk, names in other._sorted.items()}
        for index, partitions in other._indexes.items():
            self._indexes[index].update({name: partition.copy() for name, partition in partitions.items()})

    def _in_order(self, pk: str) -> list[str]:
        """The partition's sort keys, sorted on first use."""
        if pk not in self._sorted:
            self._sorted[pk] = sorted(self._names[pk])
        return self._sorted[pk]

    def _apply(self, write: Write) -> None:
        key = pk, sk = write.key
        before = self.items.get(key)
        match write:
            case Condition():
                return
            case Put(item=item):
                after: Item | None = item
                if None in item.values():
                    after = {name: value for name, value in item.items() if value is not None}
            case Delete():
                after = None
            case Add(name=name, amount=amount, set=extra, remove=removed, also=also):
                old = before or {"pk": pk, "sk": sk}
                sums = {field: old.get(field, 0) + more for field, more in {name: amount, **also}.items()}
                added = old | sums | extra
                after = {field: value for field, value in added.items() if field not in removed}
                require_small_enough([after])
        if after is None:
            self.items.pop(key, None)
            self._names[pk].pop(sk, None)
        else:
            self.items[key] = after
            self._names[pk][sk] = None
        if before is None and after is not None and pk in self._sorted:
            insort(self._sorted[pk], sk)
        elif before is not None and after is None and pk in self._sorted:
            del self._sorted[pk][bisect_left(self._sorted[pk], sk)]
        if before is None and after is not None and pk.startswith("EVENT#"):
            self.inserted.append(after)
        self._update_index(key, before, after)

    def _update_index(self, key: Key, before: Item | None, after: Item | None) -> None:
        for name, sort_name, partitions in self._listings:
            is_listed = after is not None and name in after
            if before is None and not is_listed:
                continue
            if (
                before is not None
                and after is not None
                and all(before.get(field) == after.get(field) for field in (name, sort_name))
            ):
                if is_listed:
                    partitions[after[name]].items[key] = after
                continue
            if before is not None and name in before:
                partitions[before[name]].remove(key)
            if after is not None and name in after:
                partitions[after[name]].add(key, after)


class _Partition:
    """One partition of an index: its items, and their keys in the order of the index."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._sort_name = index.keys[1]
        self.items: dict[Key, Item] = {}
        self.names: list[str] = []
        self.keys: list[Key] = []

    def copy(self) -> _Partition:
        copied = _Partition(self._index)
        copied.items, copied.names, copied.keys = dict(self.items), list(self.names), list(self.keys)
        return copied

    def add(self, key: Key, item: Item) -> None:
        self.items[key] = item
        position = bisect_right(self.names, item[self._sort_name])
        self.names.insert(position, item[self._sort_name])
        self.keys.insert(position, key)

    def remove(self, key: Key) -> None:
        item = self.items.pop(key, None)
        if item is not None:
            position = self.keys.index(key, bisect_left(self.names, item[self._sort_name]))
            del self.names[position], self.keys[position]


def _within(names: list[str], prefix: str = "", start: str | None = None, end: str | None = None) -> slice:
    """The slice of these sorted names with the prefix, from start to end."""
    first = bisect_left(names, max(prefix, start or ""))
    last = bisect_left(names, f"{end}\0") if end is not None else len(names)
    if prefix:
        last = min(last, bisect_left(names, f"{prefix}\U0010ffff"))
    return slice(first, last)
