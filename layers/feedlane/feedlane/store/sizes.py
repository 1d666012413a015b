"""How large items are for DynamoDB, which refuses an item over 400 KB and a commit over 4 MB."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedlane.store.table import COMMIT_BYTES_MAX, STORED_BYTES_MAX, Add, Item, Key, Put, TooLarge, Write

# A number takes a byte for two digits, and two more at most.
_NUMBER_OVERHEAD_BYTES = 2
_CONTAINER_OVERHEAD_BYTES = 3


def item_bytes(item: Item) -> int:
    """The item's size as DynamoDB counts it: names and values, without the absent ones (None)."""
    size = 0
    for name, value in item.items():
        if value is not None:
            size += _text_bytes(name) + (_text_bytes(value) if type(value) is str else _value_bytes(value))
    return size


def require_small_enough(items: Iterable[Item]) -> None:
    """Raises `TooLarge` for an item over 400 KB."""
    for item in items:
        if _bytes_at_most(item) > STORED_BYTES_MAX:
            _small_bytes(item, (item["pk"], item["sk"]))


def require_fitting_commit(writes: Iterable[Write]) -> None:
    """Raises `TooLarge` for an item over 400 KB, or for more than 4 MB in all."""
    all_writes = list(writes)
    written = [(write.item, write.key) for write in all_writes if isinstance(write, Put)]
    written += [(write.set, write.key) for write in all_writes if isinstance(write, Add)]
    at_most = [_bytes_at_most(item) for item, _ in written]
    if max(at_most, default=0) <= STORED_BYTES_MAX and sum(at_most) <= COMMIT_BYTES_MAX:
        return
    total = sum(_small_bytes(item, key) for item, key in written)
    if total > COMMIT_BYTES_MAX:
        raise TooLarge(f"{total:,} bytes, and a commit has at most {COMMIT_BYTES_MAX:,}")


def _bytes_at_most(item: Item) -> int:
    """A bound that is known much sooner than the size, and is enough for nearly every item.

    A character has at most four bytes, and what is written out has a character for each two bytes of anything else.
    """
    return 4 * len(repr(item))


def _small_bytes(item: Item, key: Key) -> int:
    """The size of an item with this key. Raises `TooLarge` if it is over 400 KB."""
    size = item_bytes(item)
    if size > STORED_BYTES_MAX:
        raise TooLarge(f"{'/'.join(key)}: {size:,} bytes, and an item has at most {STORED_BYTES_MAX:,}")
    return size


def _text_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _value_bytes(value: Any) -> int:
    if isinstance(value, str):
        return _text_bytes(value)
    if isinstance(value, bytes):
        return len(value)
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, dict):
        parts = sum(_text_bytes(name) + _value_bytes(part) for name, part in value.items())
        return _CONTAINER_OVERHEAD_BYTES + len(value) + parts
    if isinstance(value, (list, tuple)):
        return _CONTAINER_OVERHEAD_BYTES + len(value) + sum(map(_value_bytes, value))
    return (len(str(value)) + 1) // 2 + _NUMBER_OVERHEAD_BYTES
