"""The watch: every few minutes it finds what stands still because a crash or a dead letter has cut it off.

Only for what nothing else comes by: whatever has a message of its own on a queue needs no watch.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedlane import key_changes, lost_refreshes, lost_replays
from feedlane.clock import Clock
from feedlane.errors import Unavailable
from feedlane.ids import NewId
from feedlane.queues import Queues
from feedlane.record import Record
from feedlane.store.store import Store
from feedlane.vault import Vault


class Seen(Record):
    """`keys`: whether the app's keys had something left to do; None if the vault could not be asked now."""

    replays_rung: int
    replays_given_up: tuple[str, ...]
    refreshes_settled: int
    refreshes_ended: int
    keys: bool | None


@dataclass(frozen=True)
class Watch:
    store: Store
    queues: Queues
    vault: Vault
    clock: Clock
    new_id: NewId

    def look(self) -> Seen:
        replays = lost_replays.ring_again(self.store, self.queues, self.clock())
        refreshes = lost_refreshes.settle(self.store, self.vault, self.clock())
        return Seen(
            replays_rung=replays.rung,
            replays_given_up=replays.given_up,
            refreshes_settled=refreshes.settled,
            refreshes_ended=refreshes.ended,
            keys=self._keys(),
        )

    def _keys(self) -> bool | None:
        try:
            return key_changes.settle(self.store, self.queues, self.vault, self.clock(), self.new_id)
        except Unavailable:
            return None  # the next run asks again
