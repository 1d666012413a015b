"""By which version of Xero's API feed connections are made, and whether the operator changes it: drawn by the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from local.simulator.api_call import ApiCall
from local.simulator.faults import Fault
from tests.chaos.operator import STORM_SECONDS
from tests.chaos.world import World

SHARE = 0.3
# Of the items of 2.0, how many are done in part.
PARTLY_SHARE = 0.4


@dataclass
class FeedVersions:
    """`changes` is when the operator chooses the other version, in seconds; None: never.

    Its random numbers are its own: what else a schedule draws stays the same.
    """

    version: int = 1
    changes: float | None = None
    switches: dict[str, Any] = field(default_factory=dict)
    rng: random.Random = field(default_factory=random.Random)

    def apply(self, world: World) -> None:
        """Before anything is linked. Customers consent to all that is needed before the schedule ends."""
        world.feed_version = self.version
        world.faults.counts[f"feed_connections_{self.version}"] += 1
        if self.version == 1 and self.changes is None:
            return
        world.scopes = (*world.scopes, "bankfeedsv2")
        for name, position in self.switches.items():
            setattr(world.sim.behaviour, name, position)
            world.faults.counts[f"switch_{name}_{position}"] += 1
        world.sim.faults.partly = lambda call: self._fault(world, call)  # type: ignore[attr-defined]
        if self.changes is not None:
            world.timeline.at(self.changes, lambda: self._change(world))

    def _change(self, world: World) -> None:
        world.feed_version = 3 - world.feed_version
        world.faults.count("feed_connections_changed")

    def _fault(self, world: World, call: ApiCall) -> Fault | None:
        if not world.faults.on or call.method != "POST" or "/2.0/FeedConnections" not in call.path:
            return None
        if self.rng.random() >= PARTLY_SHARE:
            return None
        world.faults.count("xero_partial_failure")
        return Fault(0, "partial", self.rng.choice(("before", "after")))


def draw(seed: int) -> FeedVersions:
    rng = random.Random(f"feed connections of {seed}")
    version = rng.choice((1, 2))
    changes = rng.uniform(0, STORM_SECONDS) if rng.random() < SHARE else None
    others = {"feed_versions": "apart", "partial_failures": "renamed"}
    switches = {name: position for name, position in others.items() if rng.random() < 0.5}
    return FeedVersions(version, changes, switches, rng)
