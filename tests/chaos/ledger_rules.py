"""What operators choose about the ledger, and which refused pushes their platforms mend: drawn by the seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from feedlane.feeds.rules import ChangedTransactions
from feedlane.settings import items as settings_items
from tests.chaos.world import World

SHARE = 0.3


@dataclass
class LedgerRules:
    """`chosen` are settings. `rng` has random numbers of its own, so that the schedules stay the same."""

    chosen: dict[str, Any] = field(default_factory=dict)
    mends: bool = False
    rng: random.Random = field(default_factory=random.Random)

    def apply(self, world: World) -> None:
        """Before any fault strikes."""
        stored = settings_items.settings(world.store)
        world.store.commit(settings_items.put_settings(stored.but(**self.chosen)))
        world.faults.counts.update(f"setting_{name}_{value}" for name, value in self.chosen.items())


def draw(seed: int, switches: Mapping[str, Any]) -> LedgerRules:
    """`switches` are the simulator's. What an operator has to choose because of them is chosen."""
    rng = random.Random(f"rules of {seed}")
    choices: dict[str, tuple[Any, ...]] = {
        "refusal_holds_feed": (True,),
        "synthetic_balances": (True,),
        "changed_transactions": (ChangedTransactions.REFUSE, ChangedTransactions.WARN),
    }
    chosen = {name: rng.choice(values) for name, values in choices.items() if rng.random() < SHARE}
    mends = rng.random() < 0.7
    if switches.get("order") == "enforce":
        chosen["synthetic_balances"], mends = True, False
    return LedgerRules(chosen, mends, rng)
