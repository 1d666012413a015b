"""No change without its webhook, and no webhook without its change, wherever something crashes."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos.outbox.mutations import MUTATIONS
from tests.chaos.outbox.points import RATES
from tests.chaos.outbox.schedule import run, run_with_one_fault

SCHEDULES = 60
SCHEDULES_UNTIL_CAUGHT_MAX = 250


def test_a_fault_at_any_single_point_loses_and_invents_nothing() -> None:
    untouched = run_with_one_fault(0)
    assert (untouched.violations, untouched.posts) == ([], untouched.events + untouched.replayed)
    assert untouched.replayed > 1
    assert set(untouched.points) == set(RATES)
    violations, struck = {}, Counter[str]()
    for number, kind in enumerate(untouched.points, start=1):
        outcome = run_with_one_fault(number)
        struck += outcome.faults
        if outcome.violations:
            violations[number, kind] = outcome.violations
    assert not violations
    assert struck.total() == len(untouched.points)


def test_faults_everywhere_lose_and_invent_nothing() -> None:
    violations, faults, twice = {}, Counter[str](), 0
    for seed in range(SCHEDULES):
        outcome = run(seed)
        faults += outcome.faults
        twice += outcome.twice
        if outcome.violations:
            violations[seed] = outcome.violations
    assert not violations, f"replay with: python -m tests.chaos.outbox --only {min(violations, default=0)}"
    assert set(RATES) <= set(faults)
    # Some arrived twice, as they may: the checks make sure that id and bytes were the same.
    assert twice > 0


def test_a_schedule_runs_the_same_way_again() -> None:
    first, again = run(7), run(7)
    assert (first.faults, first.events, first.posts) == (again.faults, again.events, again.posts)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_transport_is_caught(name: str) -> None:
    broken, caught_as = MUTATIONS[name]
    with broken():
        seeds = range(SCHEDULES_UNTIL_CAUGHT_MAX)
        violations = (text for seed in seeds for text in run(seed, {"bus_entry_refused": 0.3}).violations)
        assert any(text.startswith(caught_as) for text in violations), f"{name} is not caught"
