"""What the product does for Codat alone, broken on purpose, shows as a violation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.codat.mutations import MUTATIONS
from tests.chaos.codat.schedule import run
from tests.chaos.codat.simulator import InProcessCodat

SCHEDULES = 30


@pytest.fixture(scope="module")
def codat() -> Iterator[InProcessCodat]:
    with InProcessCodat.in_process() as codat:
        yield codat


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_broken_is_caught(codat: InProcessCodat, name: str) -> None:
    mutation = MUTATIONS[name]
    with mutation.broken():
        violations = (
            text
            for seed in range(SCHEDULES)
            for text in run(seed, codat, mutation.rates, rounds=2, switches=mutation.switches).violations
        )
        assert any(text.startswith(mutation.caught_as) for text in violations), f"{mutation.invariant} is not caught"
