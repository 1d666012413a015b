"""The table in memory, with faults around every read and write, indexes that lag, and a history of writes."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from feedlane.clock import local_date
from feedlane.store.sizes import require_fitting_commit, require_small_enough
from feedlane.store.table import Contended, Index, Item, Key, Write, require_each_once
from tests.chaos.faults import Faults
from tests.chaos.outages import DYNAMODB
from tests.chaos.timeline import Timeline
from tests.fakes.quick_table import QuickTable

READ_SECONDS, WRITE_SECONDS = 0.004, 0.008
# The lag of the indexes: usual, and when a fault strikes (from, to).
INDEX_LAG_SECONDS, INDEX_LATE_SECONDS = 0.05, (1.0, 15.0)


class Unreachable(Exception):
    """The service did not answer; it may or may not have done its work."""


class ChaosTable(QuickTable):
    """`written` has every version of every item, `inserted_at` when each was first there, `requests` the bytes of
    every stored statement.

    `early` has the last days of statements that were cut before that day had begun at their organisation.
    """

    def __init__(self, timeline: Timeline, faults: Faults) -> None:
        super().__init__()
        self.written: list[Item] = []
        self.inserted_at: dict[Key, datetime] = {}
        self.requests: set[bytes] = set()
        self.early: list[str] = []
        self.on_write: Callable[[Key, Item | None, Item | None], None] = lambda key, before, after: None
        self._lagging: deque[tuple[float, Key, Item | None, Item | None]] = deque()
        self._timeline = timeline
        self._faults = faults

    def get(self, key: Key) -> Item | None:
        return self._read(lambda: super(ChaosTable, self).get(key))

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        wanted = dict.fromkeys(keys)
        items = self._read(lambda: super(ChaosTable, self).get_many(wanted))
        self._note_limits(wanted, items)
        return items

    def query(self, pk: str, **how: Any) -> Iterable[Item]:
        if how.get("index"):
            self._catch_up()
        return self._read(lambda: list(super(ChaosTable, self).query(pk, **how)))

    def commit(self, *writes: Write) -> None:
        require_each_once(write.key for write in writes)
        require_fitting_commit(writes)
        self._faults.before("write", WRITE_SECONDS)
        self._faults.outages.require(DYNAMODB)
        if self._faults.strike("write_contended"):
            raise Contended([write.key for write in writes])
        self._change(lambda: super(ChaosTable, self).commit(*writes))

    def put_many(self, items: Iterable[Item]) -> None:
        """Not atomic: a fault may leave only the first batches written."""
        listed = list(items)
        require_each_once((item["pk"], item["sk"]) for item in listed)
        require_small_enough(listed)
        for start in range(0, len(listed), 25):
            self._faults.before("write", WRITE_SECONDS)
            batch = listed[start : start + 25]
            self._change(lambda batch=batch: super(ChaosTable, self).put_many(batch))  # type: ignore[misc]

    def delete_many(self, keys: Iterable[Key]) -> None:
        keys = list(keys)
        require_each_once(keys)
        self._faults.before("write", WRITE_SECONDS)
        self._change(lambda: super(ChaosTable, self).delete_many(keys))

    def _apply(self, write: Write) -> None:
        before = self.items.get(write.key)
        is_new = before is None
        super()._apply(write)
        item = self.items.get(write.key)
        if is_new:
            self.inserted_at[write.key] = self._timeline.now()
        self.on_write(write.key, before, item)
        if item is None:
            return
        self.written.append(item)
        if "#BODY#" in write.key[1]:
            self.requests.add(zlib.decompress(item["body"]))
        elif is_new and write.key[1].startswith("STATEMENT#"):
            zone = self.items[write.key[0], "FEED"]["time_zone"]
            if item["end_date"] > local_date(self._timeline.now(), zone).isoformat():
                self.early.append(item["end_date"])

    def _update_index(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Queues the write for the indexes, which see all writes later than the table, in order."""
        if not any(index.keys[0] in item for index in Index for item in (before or {}, after or {})):
            return
        lag = INDEX_LAG_SECONDS
        if self._faults.strike("index_late"):
            lag = self._faults.seconds(*INDEX_LATE_SECONDS)
        due = max(self._timeline.seconds + lag, self._lagging[-1][0] if self._lagging else 0.0)
        self._lagging.append((due, key, before, after))

    def _catch_up(self) -> None:
        """Applies the writes that the indexes have seen by now."""
        while self._lagging and self._lagging[0][0] <= self._timeline.seconds:
            _, key, before, after = self._lagging.popleft()
            super()._update_index(key, before, after)

    def _read(self, read: Any) -> Any:
        self._faults.before("read", READ_SECONDS)
        self._faults.outages.require(DYNAMODB)
        if self._faults.strike("read_failed"):
            raise Unreachable("read")
        result = read()
        self._faults.after("read")
        return result

    def _change(self, change: Any) -> None:
        self._faults.outages.require(DYNAMODB)
        if self._faults.strike("write_failed"):
            raise Unreachable("write")
        change()
        self._faults.after("write", WRITE_SECONDS)
        if self._faults.strike("write_answer_lost"):
            raise Unreachable("answer of a write")

    def _note_limits(self, wanted: Iterable[Key], items: dict[Key, Item]) -> None:
        """Records the not-before times that the task has read: the checks hold it to them."""
        task = self._timeline.current()
        limits = [key for key in wanted if key[1] == "LIMIT"]
        if task is None or not limits:
            return
        known = task.limits_read = task.limits_read or {}
        for key in limits:
            item = items.get(key)
            known[key] = datetime.fromisoformat(item["until"]) if item else None
