"""The table as a port: items, conditions and writes as plain data, so that a fake can stand in for DynamoDB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from feedlane.errors import Unavailable

Item = dict[str, Any]
Key = tuple[str, str]

# DynamoDB's limits. `ITEM_BYTES_MAX` is for one field's content: the rest of an item is for its other fields.
WRITES_PER_COMMIT_MAX = 100
COMMIT_BYTES_MAX = 4_194_304
STORED_BYTES_MAX = 409_600
ITEM_BYTES_MAX = 380_000


class Index(StrEnum):
    """The table's indexes, by name. Each lists the items that have its two keys; it may lag behind the table."""

    LISTS = "gsi1"
    """The lists that cut across partitions, with whole items."""
    DUE = "gsi2"
    """What somebody must come back for, by the time of the next look. Answers only the keys of its items."""

    @property
    def keys(self) -> tuple[str, str]:
        """The names of the attributes that an item is listed by: partition and sort key."""
        return f"{self}pk", f"{self}sk"


@dataclass(frozen=True)
class When:
    """A condition on the current item: every part that is set must be met.

    `absent` allows (or, alone, demands) that the item does not exist; `equal` and `before` compare fields.
    """

    absent: bool = False
    exists: bool = False
    equal: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)

    def is_met_by(self, item: Item | None) -> bool:
        if item is None:
            return self.absent or not (self.exists or self.equal or self.before)
        if self.absent and not (self.equal or self.before):
            return False
        return all(item.get(name) == value for name, value in self.equal.items()) and all(
            name in item and item[name] < value for name, value in self.before.items()
        )


ALWAYS = When()
ABSENT = When(absent=True)
EXISTS = When(exists=True)


@dataclass(frozen=True)
class Put:
    item: Item
    when: When = ALWAYS

    @property
    def key(self) -> Key:
        return self.item["pk"], self.item["sk"]


@dataclass(frozen=True)
class Delete:
    key: Key
    when: When = ALWAYS


@dataclass(frozen=True)
class Condition:
    """Writes nothing: the commit succeeds only if the item meets `when`."""

    key: Key
    when: When


@dataclass(frozen=True)
class Add:
    """Adds to a number (absent counts as 0) if the item meets `when`.

    The same write adds to the further numbers in `also`, sets the fields in `set` and removes those in `remove`.
    """

    key: Key
    name: str
    amount: int
    set: Item = field(default_factory=dict)
    when: When = ALWAYS
    remove: tuple[str, ...] = ()
    below: int | None = None
    """The sum before the addition must be below this."""
    also: dict[str, int] = field(default_factory=dict)


Write = Put | Delete | Condition | Add


class ConditionFailed(Exception):
    """A condition was not met, and nothing of the commit was written. `keys` are those whose condition failed."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__(f"{len(keys)} condition(s) failed")
        self.keys = tuple(keys)


class Contended(ConditionFailed):
    """Another commit was writing the items at the same time: the same commit may be retried."""


class ItemNamedTwice(Exception):
    """The writes of one commit or batch name an item more than once, and nothing was written.

    DynamoDB refuses that. It is a mistake of the caller, so repeating the same writes never helps.
    """

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__(f"named more than once: {', '.join(map('/'.join, keys))}")
        self.keys = tuple(keys)


class Throttled(Unavailable):
    """The table takes no more at the moment, and did not after several attempts. The same may be repeated later."""


class TooLarge(Exception):
    """An item or a commit is larger than DynamoDB accepts, and nothing was written.

    It is a mistake of the caller, so repeating the same writes never helps.
    """


def require_each_once(keys: Iterable[Key]) -> None:
    """Raises `ItemNamedTwice` unless each key occurs once."""
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    if repeated:
        raise ItemNamedTwice(repeated)


class Table(Protocol):
    def get(self, key: Key) -> Item | None:
        """The item as last written (strongly consistent), or None."""

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """The items that exist, in any order, strongly consistent; any number of keys."""

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
        """Items of a partition by sort key: with a prefix, or from `start` to `end`, both included.

        With `index` the partition and the sort keys are the index's, and reads are eventually consistent.
        """

    def commit(self, *writes: Write) -> None:
        """All writes or none: at least one, at most `WRITES_PER_COMMIT_MAX`, each of another item.

        Raises `ConditionFailed`, `ItemNamedTwice`, `TooLarge`, `Throttled`.
        """

    def put_many(self, items: Iterable[Item]) -> None:
        """Unconditional writes, not atomic, any number: for items that may be written again later.

        Raises `ItemNamedTwice`, `TooLarge`, and `Throttled` (some of the items may be written).
        """

    def delete_many(self, keys: Iterable[Key]) -> None:
        """Unconditional deletes, not atomic, any number. Raises `ItemNamedTwice`, `Throttled`."""
