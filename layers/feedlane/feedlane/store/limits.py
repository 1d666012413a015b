"""What DynamoDB refuses to keep, checked before it is sent: its client would send unpaired surrogates as escapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedlane.store.table import Add, Index, Item, Key, Put, Write

# DynamoDB's limits, in bytes.
PARTITION_KEY_BYTES_MAX = 2048
SORT_KEY_BYTES_MAX = 1024
NESTING_MAX = 32
_NUMBER_MAX = 10**38
_KEY_FIELDS = {
    name: size
    for pair in (("pk", "sk"), *(index.keys for index in Index))
    for name, size in zip(pair, (PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX), strict=True)
}


class NotStorable(Exception):
    """DynamoDB would refuse this item or key: repeating the same call never helps."""


def require_keys(keys: Iterable[Key]) -> None:
    """Raises `NotStorable` for a key that no item can have."""
    for pk, sk in keys:
        require_key_field("pk", pk)
        require_key_field("sk", sk)


def require_bounds(pk: str, prefix: str, start: str | None, end: str | None) -> None:
    """The same for a query's partition and for what its sort keys are compared with."""
    require_key_field("pk", pk)
    for bound in (prefix or None, start, end):
        if bound is not None:
            require_key_field("sk", bound)


def require_writable(writes: Iterable[Write]) -> None:
    """The same for all that a commit names and writes."""
    for write in writes:
        if isinstance(write, Put):
            require_item(write.item)
            continue
        require_keys([write.key])
        if isinstance(write, Add):
            require_item({"pk": write.key[0], "sk": write.key[1], write.name: write.amount} | write.also | write.set)


def require_key_field(name: str, value: str) -> None:
    length = _text_bytes(value)
    if not 1 <= length <= _KEY_FIELDS[name]:
        raise NotStorable(f"{name} has {length} bytes; it must have 1 to {_KEY_FIELDS[name]}")


def require_item(item: Item) -> None:
    """Raises `NotStorable` if the item has a key, text or a number that cannot be kept. `sizes` has its size."""
    for name, value in item.items():
        if not name.isascii():
            _text_bytes(name)
        if name in _KEY_FIELDS:
            if value is not None:
                require_key_field(name, value)
        # Most values are short texts, and a push has a thousand items.
        elif type(value) is not str or not value.isascii():
            _require_value(value, 1)


def _require_value(value: Any, depth: int) -> None:
    if isinstance(value, str):
        if not value.isascii():
            _text_bytes(value)
    elif isinstance(value, (dict, list, tuple)):
        if depth >= NESTING_MAX:
            raise NotStorable(f"an item is nested more than {NESTING_MAX} deep")
        for part in (*value, *value.values()) if isinstance(value, dict) else value:
            _require_value(part, depth + 1)
    elif isinstance(value, int) and not -_NUMBER_MAX < value < _NUMBER_MAX:
        raise NotStorable("a number has more than 38 digits")


def _text_bytes(text: str) -> int:
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise NotStorable("a text has an unpaired surrogate, which has no encoding") from None
