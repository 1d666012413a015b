"""A few seeds of races in every run of the tests; `make races` runs hundreds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.races import services
from tests.races.acts import twenty_ask_at_once
from tests.races.pool import Pool
from tests.races.race import run
from tests.races.services import Services

SEEDS = range(1001, 1004)
# How often a fault of timing may fail to show.
ROUNDS_MAX = 6


@pytest.fixture(scope="module")
def running() -> Iterator[Services]:
    with services.started() as running:
        yield running


def test_no_race_and_no_crash_disconnects_anyone(running: Services) -> None:
    with Pool(running) as pool:
        violations = {seed: outcome.violations for seed in SEEDS if (outcome := run(running, pool, seed)).violations}
    assert not violations, f"replay with: python -m tests.races --only {min(violations)}"


@pytest.mark.parametrize(
    ("broken", "caught_as"),
    [
        ("everyone_gets_the_lease", "refreshes"),
        ("tokens_are_used_before_they_are_stored", "before it was stored"),
    ],
)
def test_a_vault_that_is_broken_on_purpose_is_caught(running: Services, broken: str, caught_as: str) -> None:
    """On a busy machine the processes may happen to come one after the other: then they are set going again."""
    with Pool(running, broken) as pool:
        rounds = (run(running, pool, seed, (twenty_ask_at_once,)).violations for seed in range(1, ROUNDS_MAX + 1))
        assert any(caught_as in text for violations in rounds for text in violations)
