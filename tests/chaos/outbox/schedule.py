"""Runs a schedule: changes while faults strike, then rest, then all checks. Nobody puts a dead letter back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from tests import rights
from tests.chaos.outbox.changes import Changes
from tests.chaos.outbox.checks import after_all
from tests.chaos.outbox.points import OnePoint, RandomPoints
from tests.chaos.outbox.world import World

STORM_SECONDS = 1200.0
ROUND_SECONDS = 3600.0
ROUNDS_MAX = 20


@dataclass
class Outcome:
    violations: list[str]
    events: int = 0
    posts: int = 0
    twice: int = 0
    replayed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    points: list[str] = field(default_factory=list)


def run(seed: int, rates: Mapping[str, float] | None = None) -> Outcome:
    """Many changes, with faults drawn from the seed. `rates` override some of them."""
    rng = random.Random(seed)
    world = World(rng, RandomPoints, consumers=rng.randint(1, 3))
    world.faults.rates |= rates or {}
    return _run(world, lambda changes: changes.plan(rng.randint(5, 20), STORM_SECONDS / 2))


def run_with_one_fault(number: int) -> Outcome:
    """One change of each kind to one consumer, with a fault only at this point (0: none)."""
    world = World(random.Random(1), partial(OnePoint, number=number), consumers=1, batch_max=1)
    return _run(world, lambda changes: changes.each_once())


def _run(world: World, plan: object) -> Outcome:
    rights.take_refusals()
    with world.deployed():
        world.faults.on = True
        plan(Changes(world))  # type: ignore[operator]
        world.faults.plan_outages(STORM_SECONDS / 2)
        world.replays.watch()
        world.timeline.run(STORM_SECONDS)
        world.faults.on = False
        world.timeline.run(max(0.0, world.faults.outages.last_end - world.timeline.seconds))
        rested = _rest(world)
    violations = after_all(world)
    violations += [f"rights: {refusal}" for refusal in rights.take_refusals()]
    if not rested:
        violations.insert(0, "lost: the world did not come to rest")
    received = world.endpoints.received
    return Outcome(
        violations,
        events=sum(len(shard.records) for shard in world.stream.shards),
        posts=received.total(),
        twice=received.total() - len(received),
        replayed=world.replays.arrived,
        faults=world.faults.counts,
        points=getattr(world.faults, "names", []),
    )


def _rest(world: World) -> bool:
    """Nobody puts a dead letter back: the watch has to manage without them."""
    for _ in range(ROUNDS_MAX):
        world.timeline.run(ROUND_SECONDS)
        if world.is_done():
            return True
    return False
