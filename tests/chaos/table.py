"""The table in memory with faults around every read and write, and an index that lags behind.

It also keeps what was ever written.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from feedlane.clock import local_date
from feedlane.store.table import Contended, Item, Key, Write
from tests.chaos.faults import Faults
from tests.chaos.timeline import Timeline
from tests.fakes.quick_table import QuickTable

READ, WRITE = 0.004, 0.008
# How far the index is behind the table: usually, and when it is late (from, to).
INDEX_LAGS, INDEX_LATE = 0.05, (1.0, 15.0)


class Unreachable(Exception):
    """The service did not answer; what was asked of it was done, or was not."""


class ChaosTable(QuickTable):
    """`written` has every item as it was ever put, `requests` every statement's bytes since they were written down.

    `early` has the last days of statements that were cut while these were in the future, where their feed is.
    """

    def __init__(self, timeline: Timeline, faults: Faults) -> None:
        super().__init__()
        self.written: list[Item] = []
        self.requests: set[bytes] = set()
        self.early: list[str] = []
        self._lagging: deque[tuple[float, Key, Item | None, Item | None]] = deque()
        self._timeline = timeline
        self._faults = faults

    def get(self, key: Key) -> Item | None:
        return self._read(lambda: super(ChaosTable, self).get(key))

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        wanted = dict.fromkeys(keys)
        found = self._read(lambda: super(ChaosTable, self).get_many(wanted))
        self._note_limits(wanted, found)
        return found

    def query(self, pk: str, **how: Any) -> Iterable[Item]:
        if how.get("index"):
            self._catch_up()
        return self._read(lambda: list(super(ChaosTable, self).query(pk, **how)))

    def commit(self, *writes: Write) -> None:
        self._faults.before("write", WRITE)
        if self._faults.strike("write_contended"):
            raise Contended([write.key for write in writes])
        self._change(lambda: super(ChaosTable, self).commit(*writes))

    def put_many(self, items: Iterable[Item]) -> None:
        """Not atomic: a fault may leave the first of them written."""
        listed = list(items)
        for start in range(0, len(listed), 25):
            self._faults.before("write", WRITE)
            some = listed[start : start + 25]
            self._change(lambda some=some: super(ChaosTable, self).put_many(some))  # type: ignore[misc]

    def delete_many(self, keys: Iterable[Key]) -> None:
        self._faults.before("write", WRITE)
        self._change(lambda: super(ChaosTable, self).delete_many(keys))

    def _apply(self, write: Write) -> None:
        is_new = write.key not in self.items
        super()._apply(write)
        there = self.items.get(write.key)
        if there is None:
            return
        self.written.append(there)
        if "#BODY#" in write.key[1]:
            self.requests.add(zlib.decompress(there["body"]))
        elif is_new and write.key[1].startswith("STATEMENT#"):
            zone = self.items[write.key[0], "FEED"]["time_zone"]
            if there["end_date"] > local_date(self._timeline.now(), zone).isoformat():
                self.early.append(there["end_date"])

    def _list(self, key: Key, before: Item | None, after: Item | None) -> None:
        """The index hears of a write later than the table, of all writes in their order."""
        if "gsi1pk" not in (before or {}) and "gsi1pk" not in (after or {}):
            return
        lag = INDEX_LAGS
        if self._faults.strike("index_late"):
            lag = self._faults.seconds(*INDEX_LATE)
        due = max(self._timeline.seconds + lag, self._lagging[-1][0] if self._lagging else 0.0)
        self._lagging.append((due, key, before, after))

    def _catch_up(self) -> None:
        """The index holds what it has heard of by now."""
        while self._lagging and self._lagging[0][0] <= self._timeline.seconds:
            _, key, before, after = self._lagging.popleft()
            super()._list(key, before, after)

    def _read(self, read: Any) -> Any:
        self._faults.before("read", READ)
        if self._faults.strike("read_failed"):
            raise Unreachable("read")
        found = read()
        self._faults.after("read")
        return found

    def _change(self, change: Any) -> None:
        if self._faults.strike("write_failed"):
            raise Unreachable("write")
        change()
        self._faults.after("write", WRITE)
        if self._faults.strike("write_answer_lost"):
            raise Unreachable("answer of a write")

    def _note_limits(self, wanted: Iterable[Key], found: dict[Key, Item]) -> None:
        """What the task has now been told of not-before times: it may be held to that."""
        task = self._timeline.current()
        limits = [key for key in wanted if key[1] == "LIMIT"]
        if task is None or not limits:
            return
        known = task.told = task.told or {}
        for key in limits:
            item = found.get(key)
            known[key] = datetime.fromisoformat(item["until"]) if item else None
