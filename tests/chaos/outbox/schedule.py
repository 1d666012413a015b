"""A schedule: changes while faults strike, then quiet and an operator's redrive, then all is checked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from tests.chaos.outbox.changes import Changes
from tests.chaos.outbox.checks import after_all
from tests.chaos.outbox.points import OnePoint, RandomPoints
from tests.chaos.outbox.world import World

STORM = 1200.0
ROUND = 3600.0
ROUNDS = 20


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
    """Many changes, faults wherever the seed has them; `rates` make some more frequent."""
    rng = random.Random(seed)
    world = World(rng, RandomPoints, consumers=rng.randint(1, 3))
    world.faults.rates |= rates or {}
    return _run(world, lambda changes: changes.plan(rng.randint(5, 20), STORM / 2))


def run_with_one_fault(number: int) -> Outcome:
    """One change of each kind to one consumer, struck at this point alone (0: at none)."""
    world = World(random.Random(1), partial(OnePoint, number=number), consumers=1, most=1)
    return _run(world, lambda changes: changes.each_once())


def _run(world: World, plan: object) -> Outcome:
    with world.deployed():
        world.faults.on = True
        plan(Changes(world))  # type: ignore[operator]
        world.replays.watch()
        world.timeline.run(STORM)
        world.faults.on = False
        rested = _rest(world)
    violations = after_all(world)
    if not rested:
        violations.insert(0, "lost: the road did not come to rest")
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
    for _ in range(ROUNDS):
        world.replays.throw_away_dead_letters()
        world.timeline.run(ROUND)
        if world.is_done():
            return True
        world.events.redrive()
        world.queue.redrive()
    return False
