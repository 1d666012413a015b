"""The watch in a schedule: every ten minutes, at a moment of its own. It checks that what waits is looked at in time.

Runs that would find nothing are left out: a run is due at the first moment after the time of an item that is listed.
"""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime, timedelta

from feedlane.ports import Ports
from feedlane.store import keys
from feedlane.store.due import SHARDS, Kind
from feedlane.store.table import Index, Item, Key
from feedlane.upkeep import overdue
from tests.chaos.faults import Faults
from tests.chaos.outages import DYNAMODB, SQS
from tests.chaos.table import INDEX_LATE_SECONDS, ChaosTable
from tests.chaos.timeline import START, Timeline
from tests.rights import acting_as

INTERVAL_SECONDS = 600.0
# Together they are twenty minutes: until the look is due, and until the watch comes by.
LOOK_WITHIN = timedelta(minutes=10)
TASK = "function watch"


class Watching:
    """`late` says what was not looked at in time."""

    def __init__(self, timeline: Timeline, faults: Faults, table: ChaosTable, phase_seconds: float) -> None:
        self.late: list[str] = []
        self._timeline, self._faults, self._table = timeline, faults, table
        self._phase = phase_seconds
        self._planned: set[float] = set()
        self._overdue_from: dict[Key, datetime] = {}
        self._calm_runs = 0
        self._ports: Ports | None = None
        table.on_write = self._note

    def start(self, ports: Ports) -> None:
        self._ports = ports

    def _note(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Whatever is listed anew is to be looked at within ten minutes, unless the watch itself knows better."""
        at = (after or {}).get(Index.DUE.keys[1])
        if at is None:
            self._overdue_from.pop(key, None)
            return
        if at == (before or {}).get(Index.DUE.keys[1]):
            return
        # Somebody who has read the item before a look may write its former time again.
        self._overdue_from[key] = max(_time(at), self._timeline.now())
        task = self._timeline.current()
        is_looked_at = task is not None and task.name == TASK
        if key[1] == "FEED" and not is_looked_at and _time(at) > self._timeline.now() + LOOK_WITHIN:
            self.late.append(f"looked at: {key[0]} only at {at}, written at {self._timeline.now()}")
        self._plan((_time(at) - START).total_seconds())

    def _plan(self, seconds: float) -> None:
        run = math.ceil((seconds - self._phase) / INTERVAL_SECONDS) * INTERVAL_SECONDS + self._phase
        while run <= self._timeline.seconds:
            run += INTERVAL_SECONDS
        if run not in self._planned:
            self._planned.add(run)
            self._timeline.at(run, lambda: self._run(run))

    def _run(self, run: float) -> None:
        self._planned.discard(run)
        on_time = self._timeline.seconds - run < 1
        is_calm = on_time and not self._faults.on and not self._is_down() and self._may_send()
        self._calm_runs = self._calm_runs + 1 if is_calm else 0
        if self._calm_runs > 2:
            self._check()
        task = self._timeline.start(TASK, self._ring)
        self._faults.doom(task)
        partitions = self._table.listed(Index.DUE)
        times = [partitions[keys.due(kind, shard)].names for kind in Kind for shard in range(SHARDS)]
        listed = [names[0] for names in times if names]
        if listed:
            self._plan(max(run + 1, (_time(min(listed)) - START).total_seconds()))

    def _ring(self) -> None:
        assert self._ports is not None
        with acting_as("tend_connections"), suppress(Exception):
            looks = overdue.ring(self._ports)
            for kind, count in looks.rung.items():
                self._faults.counts[f"rung_{kind.lower()}"] += count

    def _check(self) -> None:
        """Without faults, each run deals with all that is overdue: nothing waits for a second one."""
        latest = self._timeline.now() - timedelta(seconds=INTERVAL_SECONDS + INDEX_LATE_SECONDS[1])
        for key, since in self._overdue_from.items():
            if since < latest and key[1] == "FEED":
                self.late.append(f"looked at: {key[0]} has been overdue since {since} at {self._timeline.now()}")

    def _is_down(self) -> bool:
        """Whether the watch cannot look, or cannot ring. What waits is looked at when that is over."""
        return any(self._faults.outages.end_of(service) for service in (DYNAMODB, SQS))

    def _may_send(self) -> bool:
        """Feeds that may not send are not looked at."""
        settings = self._table.items.get(keys.SETTINGS)
        return settings is not None and settings["enabled"] and settings["bank_feeds"]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
