"""The watch: every few minutes it finds what stands still because a crash or a dead letter has cut it off.

Only for what nothing else comes by: whatever has a message of its own on a queue needs no watch.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedlane.credentials.vault import Vault
from feedlane.errors import Unavailable
from feedlane.ports import Ports
from feedlane.record import Record
from feedlane.settings import app_keys
from feedlane.upkeep import refreshes_in_doubt, stalled_replays


class WatchResult(Record):
    """`keys`: whether the app's keys had something left to do; None if the vault could not be asked now."""

    replays_rung: int
    replays_given_up: tuple[str, ...]
    refreshes_settled: int
    refreshes_ended: int
    keys: bool | None


@dataclass(frozen=True)
class Watch:
    ports: Ports
    vault: Vault

    def look(self) -> WatchResult:
        replays = stalled_replays.requeue(self.ports, self.ports.clock())
        refreshes = refreshes_in_doubt.resolve(self.ports.store, self.vault, self.ports.clock())
        return WatchResult(
            replays_rung=replays.rung,
            replays_given_up=replays.given_up,
            refreshes_settled=refreshes.settled,
            refreshes_ended=refreshes.ended,
            keys=self._settle_keys(),
        )

    def _settle_keys(self) -> bool | None:
        try:
            return app_keys.finish_interrupted_change(self.ports, self.vault, self.ports.clock())
        except Unavailable:
            return None  # the next run asks again
