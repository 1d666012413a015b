"""A few schedules of chaos in every run of the tests; `make chaos` runs hundreds."""

from __future__ import annotations

from collections import Counter

from tests.chaos.schedule import run
from tests.chaos.xero import Xero

SCHEDULES = 40


def test_the_invariants_hold_under_random_faults() -> None:
    violations: dict[int, list[str]] = {}
    faults: Counter[str] = Counter()
    with Xero.in_process() as xero:
        for seed in range(SCHEDULES):
            outcome = run(1_000_003 + seed, xero)
            faults += outcome.faults
            if outcome.violations:
                violations[seed] = outcome.violations
    assert not violations, f"replay with: python -m tests.chaos --seed 1 --only {min(violations, default=0)}"
    assert sum(faults.values()) > 10 * SCHEDULES


def test_a_schedule_runs_the_same_way_again() -> None:
    with Xero.in_process() as xero:
        first, again = run(7, xero), run(7, xero)
    assert (first.faults, first.invocations, first.calls) == (again.faults, again.invocations, again.calls)
