"""An outage of one service, of an hour or a day, ends with everything delivered in order and by nobody's hands."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests import rights
from tests.chaos import checks
from tests.chaos.outages import DAY, HOUR, SERVICES
from tests.chaos.pushes import Platform
from tests.chaos.world import World
from tests.chaos.xero import Xero

SEEDS = 4
# The pushes are spread over about so long. Each outage begins in it.
PUSHES_SECONDS = 600.0
# Xero may take ten minutes for each of a feed's statements, which go one after the other.
REST_SECONDS = 12 * HOUR


@pytest.fixture(scope="module")
def xero() -> Iterator[Xero]:
    with Xero.in_process() as xero:
        yield xero


@pytest.mark.parametrize("seconds", [HOUR, DAY])
@pytest.mark.parametrize("service", SERVICES)
def test_an_outage_ends_by_itself(xero: Xero, service: str, seconds: float) -> None:
    """Nothing else goes wrong, nobody releases, and nobody puts a dead letter back."""
    accepted = 0
    for seed in range(SEEDS):
        rng = random.Random(seed)
        rights.take_refusals()
        world = World(rng, xero)
        world.faults.rates = {}
        with world.deployed():
            world.build()
            platform = Platform(world)
            platform.plan()
            world.faults.outages.plan(service, world.timeline.seconds + rng.uniform(0, PUSHES_SECONDS), seconds)
            world.timeline.run(seconds + 2 * PUSHES_SECONDS + REST_SECONDS)
            assert checks.at_rest(world), f"seed {seed}: something still waits"
            assert checks.after_all(world, platform) == []
        accepted += len(platform.accepted)
        assert not any(queue.dead for queue in world.queues.values())
        assert rights.take_refusals() == []
    # An early outage may refuse every push of a seed.
    assert accepted
