"""A few seeds of races in every run of the tests; `make races` runs hundreds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.races import place
from tests.races.acts import twenty_ask_at_once
from tests.races.place import Place
from tests.races.pool import Pool
from tests.races.race import run

SEEDS = range(1001, 1004)


@pytest.fixture(scope="module")
def where() -> Iterator[Place]:
    with place.started() as where:
        yield where


def test_no_race_and_no_crash_disconnects_anybody(where: Place) -> None:
    with Pool(where) as pool:
        found = {seed: outcome.violations for seed in SEEDS if (outcome := run(where, pool, seed)).violations}
    assert not found, f"replay with: python -m tests.races --only {min(found)}"


@pytest.mark.parametrize(
    ("broken", "caught_as"),
    [
        ("everybody_gets_the_lease", "refreshes"),
        ("tokens_are_used_before_they_are_stored", "before it was stored"),
    ],
)
def test_a_vault_that_is_broken_on_purpose_is_caught(where: Place, broken: str, caught_as: str) -> None:
    with Pool(where, broken) as pool:
        violations = run(where, pool, 1, (twenty_ask_at_once,)).violations
    assert any(caught_as in text for text in violations), violations
