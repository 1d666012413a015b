"""Places in a long list: a page far down is found without reading the items before it, and the list is counted exactly.

The list's items are in the index, in blocks of about a hundred. One item has the number of items in each block; it
changes in the commits that add and remove them. New items go to the last block, so blocks are in the order of creation.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedlane.store.store import Store
from feedlane.store.table import Add, Key

ITEMS_PER_BLOCK = 100
_PREFIX = "b"


@dataclass(frozen=True)
class Blocks:
    """`counts` has the number of items of each block, in the list's order."""

    counts: tuple[int, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def newest(self) -> int:
        """The block for a new item."""
        last = max(len(self.counts) - 1, 0)
        return last + 1 if self.counts and self.counts[last] >= ITEMS_PER_BLOCK else last

    def find(self, place: int) -> tuple[int, int]:
        """The block that has the list's item `place` (0 is the first), and how many items of the block precede it."""
        for number, count in enumerate(self.counts):
            if place < count:
                return number, place
            place -= count
        return len(self.counts), 0


def read_blocks(store: Store, key: Key) -> Blocks:
    item = store.table.get(key) or {}
    counts = {int(name[1:]): count for name, count in item.items() if name[0] == _PREFIX and name[1:].isdigit()}
    return Blocks(tuple(counts.get(number, 0) for number in range(max(counts, default=-1) + 1)))


def count_in_block(key: Key, block: int, amount: int) -> Add:
    """The write that counts an item that is added to the block (1) or removed from it (-1)."""
    return Add(key, f"{_PREFIX}{block}", amount)


def block_text(block: int) -> str:
    """The beginning of the sort keys of the block's items in the index."""
    return f"{block:08d}#"
