"""Every invariant, broken on purpose, shows as a violation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.mutations import MUTATIONS
from tests.chaos.schedule import run
from tests.chaos.xero import Xero

SCHEDULES = 30


@pytest.fixture(scope="module")
def xero() -> Iterator[Xero]:
    with Xero.in_process() as xero:
        yield xero


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_invariant_is_caught(xero: Xero, name: str) -> None:
    mutation = MUTATIONS[name]
    with mutation.broken():
        violations = (
            text
            for seed in range(SCHEDULES)
            for text in run(seed, xero, mutation.rates, rounds=2, switches=mutation.switches).violations
        )
        assert any(text.startswith(mutation.caught_as) for text in violations), f"{mutation.invariant} is not caught"
