"""The watch: every ten minutes it finds work that a crash or a dead letter has interrupted, and resumes it.

Whatever waits is in the due index (`store/due.py`), so that none of it depends on a message.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from feedlane.companies.organisations import ListedOrganisations
from feedlane.credentials.vault import Vault
from feedlane.errors import Unavailable
from feedlane.ports import Ports
from feedlane.record import Record
from feedlane.settings import app_keys, codat_keys
from feedlane.upkeep import overdue, refreshes_in_doubt, stalled_replays
from feedlane.upkeep.leftovers import Leftovers, Removed
from feedlane.upkeep.overdue import Looks
from feedlane.upkeep.refreshes_in_doubt import Resolved
from feedlane.upkeep.stalled_replays import Requeued


class WatchResult(Record):
    """`keys`: whether a change of the app's keys had to be finished; None if the vault was unavailable.

    `rung`: how many of each kind nobody was coming back for. `looks_failed`: what could not be looked at.
    `steps_failed`: the steps that came to no end, with the kind of error; their figures are 0.
    """

    replays_requeued: int
    replays_given_up: tuple[str, ...]
    refreshes_resolved: int
    refreshes_ended: int
    keys: bool | None
    places_freed: int = 0
    token_sets_removed: int = 0
    rung: dict[str, int] = {}
    looks_failed: tuple[str, ...] = ()
    steps_failed: tuple[str, ...] = ()


T = TypeVar("T")


@dataclass
class _Steps:
    """Takes steps of which none depends on another: one that fails stops none."""

    failed: list[str] = field(default_factory=list)

    def take(self, name: str, step: Callable[[], T], otherwise: T) -> T:
        try:
            return step()
        except Exception as error:
            self.failed.append(f"{name}: {type(error).__name__}: {error}"[:500])
            return otherwise


@dataclass(frozen=True)
class Watch:
    ports: Ports
    vault: Vault
    organisations: ListedOrganisations

    def run(self, time_left: Callable[[], timedelta] = lambda: timedelta(minutes=5)) -> WatchResult:
        """Takes every step, whichever fails: see `steps_failed`. The looks have what the others leave of the time."""
        ports, steps = self.ports, _Steps()
        replays = steps.take("replays", lambda: stalled_replays.requeue(ports, ports.clock()), Requeued())
        refreshes = steps.take(
            "refreshes",
            lambda: refreshes_in_doubt.resolve(ports.store, self.vault, ports.clock(), time_left),
            Resolved(),
        )
        is_finished = steps.take("keys", self._finish_key_change, None)
        leftovers = steps.take("leftovers", Leftovers(ports, self.vault, self.organisations).remove, Removed())
        # Last, since it may take the longest.
        looks = steps.take("looks", lambda: overdue.ring(ports, time_left()), Looks())
        return WatchResult(
            replays_requeued=replays.requeued,
            replays_given_up=replays.given_up,
            refreshes_resolved=refreshes.resolved,
            refreshes_ended=refreshes.ended,
            keys=is_finished,
            places_freed=leftovers.places,
            token_sets_removed=leftovers.token_sets,
            rung={kind.value: count for kind, count in looks.rung.items() if count},
            looks_failed=(*replays.failed, *leftovers.failed, *looks.failed),
            steps_failed=tuple(steps.failed),
        )

    def _finish_key_change(self) -> bool | None:
        try:
            changes = (app_keys.finish_interrupted_change, codat_keys.finish_interrupted_change)
            finished = [finish(self.ports, self.vault, self.ports.clock()) for finish in changes]
        except Unavailable:
            return None  # the next run retries
        return any(finished)
