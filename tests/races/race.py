"""Runs one seed: every act in a random order, with a check after each that the connection is linked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.races.acts import ACTS, Act
from tests.races.pool import Pool
from tests.races.services import Services
from tests.races.world import World


@dataclass
class Outcome:
    violations: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    deaths: int = 0
    refreshes: int = 0


def run(services: Services, pool: Pool, seed: int, acts: tuple[Act, ...] = ACTS) -> Outcome:
    world, outcome = World(services, pool, seed), Outcome()
    try:
        for act in world.rng.sample(acts, len(acts)):
            act(world)
            world.expect_linked(f"after {act.__name__}")
            outcome.acts[act.__name__] += 1
        outcome.refreshes = world.refreshes(0)
    finally:
        world.close()
    outcome.violations, outcome.requests, outcome.deaths = world.violations, world.requests, world.deaths
    return outcome
