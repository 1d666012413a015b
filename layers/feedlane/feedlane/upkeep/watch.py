"""The watch: every ten minutes it finds work that a crash or a dead letter has interrupted, and resumes it.

Whatever waits is in the due index (`store/due.py`), so that none of it depends on a message.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedlane.credentials.vault import Vault
from feedlane.errors import Unavailable
from feedlane.ports import Ports
from feedlane.record import Record
from feedlane.settings import app_keys
from feedlane.upkeep import overdue, refreshes_in_doubt, stalled_replays


class WatchResult(Record):
    """`keys`: whether a change of the app's keys had to be finished; None if the vault was unavailable.

    `rung`: how many of each kind nobody was coming back for. `looks_failed`: what could not be looked at.
    """

    replays_requeued: int
    replays_given_up: tuple[str, ...]
    refreshes_resolved: int
    refreshes_ended: int
    keys: bool | None
    rung: dict[str, int] = {}
    looks_failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Watch:
    ports: Ports
    vault: Vault

    def run(self) -> WatchResult:
        replays = stalled_replays.requeue(self.ports, self.ports.clock())
        refreshes = refreshes_in_doubt.resolve(self.ports.store, self.vault, self.ports.clock())
        is_finished = self._finish_key_change()
        # Last, since it may take the longest.
        looks = overdue.ring(self.ports)
        return WatchResult(
            replays_requeued=replays.requeued,
            replays_given_up=replays.given_up,
            refreshes_resolved=refreshes.resolved,
            refreshes_ended=refreshes.ended,
            keys=is_finished,
            rung={kind.value: count for kind, count in looks.rung.items() if count},
            looks_failed=tuple(looks.failed),
        )

    def _finish_key_change(self) -> bool | None:
        try:
            return app_keys.finish_interrupted_change(self.ports, self.vault, self.ports.clock())
        except Unavailable:
            return None  # the next run retries
