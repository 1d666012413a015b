"""Runs one schedule from its seed: faults strike, everything is fixed and drained, all invariants are checked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from feedlane.holds import items as hold_items
from feedlane.statements import limits
from tests import rights
from tests.chaos import check_truth, checks, feed_versions, ledger_rules
from tests.chaos.operator import STORM_SECONDS, Operator
from tests.chaos.pushes import Platform
from tests.chaos.switches import draw
from tests.chaos.table import INDEX_LATE_SECONDS
from tests.chaos.world import World

HOUR = 3600.0
# Where Xero drops lines, each statement is resolved in a round of its own.
ROUNDS_MAX = 60
# What could never be recorded, for its date or its content, stays a hole, however often it is sent.
MENDING_ROUNDS = 3
# Every second schedule's customers may share a secret.
TOKEN_SETS_PER_SECRET = (1, 10)


@dataclass
class Outcome:
    transactions: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    invocations: int = 0
    calls: int = 0


@dataclass(frozen=True)
class Play:
    """What is played with, upstream by upstream: its world, its people, and its switches by seed."""

    world: Callable[..., World]
    operator: Callable[..., Operator]
    draw: Callable[[int], dict[str, Any]]
    vary: Callable[[int, World], None] = lambda seed, world: None
    """What else differs from schedule to schedule, with random numbers of its own."""


XERO = Play(World, Operator, draw, lambda seed, world: feed_versions.draw(seed).apply(world))


def run(
    seed: int,
    simulator: Any,
    rates: Mapping[str, float] | None = None,
    rounds: int = ROUNDS_MAX,
    switches: Mapping[str, Any] | None = None,
    play: Play = XERO,
) -> Outcome:
    """`rates` override the seed's rates of some faults, `switches` its positions of the simulator's."""
    rng = random.Random(seed)
    rights.take_refusals()
    world = play.world(rng, simulator, TOKEN_SETS_PER_SECRET[seed % 2])
    world.faults.rates |= rates or {}
    turned = play.draw(seed) if switches is None else switches
    world.turn(turned)
    if switches is None:
        play.vary(seed, world)
    world.faults.counts.update(f"switch_{name}_{position}" for name, position in turned.items())
    with world.deployed(), tight_limits(world, seed):
        world.build()
        rules = ledger_rules.draw(seed, turned)
        platform, operator = Platform(world, rules), play.operator(world)
        rules.apply(world)
        world.faults.on = True
        transactions = platform.plan()
        operator.plan()
        world.faults.plan_outages(STORM_SECONDS)
        _storm(world)
        world.faults.on = False
        world.timeline.run(max(0.0, world.faults.outages.last_end - world.timeline.seconds))
        world.timeline.run(2 * HOUR)
        check_truth.look(world)
        violations = checks.while_held(world)
        drained = _drain(world, operator, platform, rounds)
        violations += [] if drained else ["nothing lost: the world did not come to rest after everything was fixed"]
        violations += checks.after_all(world, platform)
        violations += [f"rights: {refusal}" for refusal in rights.take_refusals()]
    calls = len(world.transport.calls)
    return Outcome(transactions, world.faults.counts, violations, world.functions.invocations, calls)


@contextmanager
def tight_limits(world: World, seed: int) -> Iterator[None]:
    """Every third schedule's organisations allow so few calls that their limits matter to a few feeds."""
    if seed % 3:
        yield
        return
    minute = random.Random(f"limits of {seed}").choice((12, 16, 20))
    world.tighten(minute)
    tight = replace(limits.XERO_TENANT_LIMITS, per_minute=minute)
    ours = replace(limits.TENANT_LIMITS, per_minute=minute - 2)
    with patch.multiple(limits, XERO_TENANT_LIMITS=tight, TENANT_LIMITS=ours):
        yield


def _storm(world: World) -> None:
    """The period in which faults strike, with jumps of the clock."""
    timeline = world.timeline
    end = timeline.seconds + STORM_SECONDS
    while timeline.seconds < end and not timeline.is_idle:
        timeline.run(world.rng.uniform(50, 600))
        check_truth.look(world)
        if world.faults.strike("clock_jump_hours"):
            timeline.jump(world.rng.uniform(1, 10) * HOUR)
        if world.faults.strike("clock_jump_days"):
            timeline.jump(world.rng.uniform(1, 3) * 24 * HOUR)


def _drain(world: World, operator: Operator, platform: Platform, rounds: int) -> bool:
    """Fixes causes, puts dead letters back, mends and releases holds until nothing moves and nothing waits."""
    world.calm()
    for number in range(rounds):
        world.timeline.run(30 * HOUR)
        check_truth.look(world)
        # Without events no time passes, and the index would never catch up with the last writes.
        world.timeline.jump(INDEX_LATE_SECONDS[1])
        operator.fix()
        mends = number < MENDING_ROUNDS and platform.mend()
        redriven = sum(queue.redrive() for queue in world.queues.values())
        holds = hold_items.holds(world.store)
        operator.release_all()
        if not holds and not redriven and not mends and checks.at_rest(world):
            return True
    return False
