"""A few schedules of chaos through Codat in every run of the tests; `make chaos UPSTREAM=codat` runs hundreds."""

from __future__ import annotations

from collections import Counter

from tests.chaos.codat.schedule import run
from tests.chaos.codat.simulator import InProcessCodat

SCHEDULES = 15


def test_the_invariants_hold_through_codat() -> None:
    violations: dict[int, list[str]] = {}
    faults: Counter[str] = Counter()
    with InProcessCodat.in_process() as codat:
        for number in range(SCHEDULES):
            outcome = run(1_000_003 + number, codat)
            faults += outcome.faults
            if outcome.violations:
                violations[number] = outcome.violations
    replay = f"python -m tests.chaos --seed 1 --only {min(violations, default=0)} --upstream codat"
    assert not violations, f"replay with: {replay}"
    assert sum(faults.values()) > 10 * SCHEDULES


def test_a_schedule_runs_the_same_way_again() -> None:
    with InProcessCodat.in_process() as codat:
        first, again = run(7, codat), run(7, codat)
    assert (first.faults, first.invocations, first.calls) == (again.faults, again.invocations, again.calls)
