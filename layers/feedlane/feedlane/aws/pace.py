"""Spreads many writes to one partition over time: DynamoDB takes about 1,000 units a second of each, then throttles.

Each process paces its own writes. A feed's transactions are written by one invocation at a time, so that is enough.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

# Below the partition's limit, with some room for commits, which wait for nothing but count.
UNITS_PER_SECOND = 800
# So many are written at once: a partition that was idle takes them.
BURST_UNITS = 150
_PARTITIONS_MAX = 1_000


class WritePace:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # When the units written so far have been taken at that rate, by partition.
        self._taken_at: OrderedDict[str, float] = OrderedDict()

    def delay(self, units: Mapping[str, int]) -> float:
        """How many seconds to wait before writing so many units to each of these partitions. Counts them."""
        now, longest = self._clock(), 0.0
        for partition, count in units.items():
            taken_at = max(now, self._taken_at.pop(partition, now))
            longest = max(longest, taken_at - now - BURST_UNITS / UNITS_PER_SECOND)
            self._taken_at[partition] = taken_at + count / UNITS_PER_SECOND
        while len(self._taken_at) > _PARTITIONS_MAX:
            self._taken_at.popitem(last=False)
        return longest
