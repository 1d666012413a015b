"""The results of a chaos run: printed during the run, and written to `build/chaos.json` or `chaos-codat.json`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests import seeded
from tests.chaos.faults import RATES
from tests.chaos.schedule import Outcome

PROGRESS_EVERY = 50
# A kind of fault with fewer occurrences is reported as rare.
OCCURRENCES_MIN = 20


class Report:
    def __init__(self, seed: int, upstream: str = "xero", rates: Iterable[str] = RATES) -> None:
        self.violations = 0
        self._upstream, self._rates = upstream, rates
        self._seed = seed
        self._started = time.perf_counter()
        self._schedules = self._transactions = self._invocations = self._calls = 0
        self._faults: Counter[str] = Counter()

    def add(self, number: int, outcome: Outcome) -> None:
        self._schedules += 1
        self._transactions += outcome.transactions
        self._invocations += outcome.invocations
        self._calls += outcome.calls
        self._faults += outcome.faults
        if outcome.violations:
            self.violations += len(outcome.violations)
            self._print_violations(number, outcome.violations)
        if self._schedules % PROGRESS_EVERY == 0:
            print(f"{self._schedules} schedules, {self._seconds:.0f} s, {self.violations} violations", flush=True)

    def finish(self) -> None:
        figures = self._figures()
        file = seeded.write(figures, "chaos" if self._upstream == "xero" else f"chaos-{self._upstream}")
        rare = [kind for kind, count in self._kinds().items() if count < OCCURRENCES_MIN]
        print(
            f"{self._schedules} schedules with {self._transactions} transactions, {self._invocations} invocations and "
            f"{self._calls} calls to {self._upstream.capitalize()}: {figures['faults_total']} faults of "
            f"{len(self._kinds())} kinds, {self.violations} violations. It took {self._seconds:.0f} s."
        )
        if rare and self._schedules >= 500:
            print(f"Struck fewer than {OCCURRENCES_MIN} times: {', '.join(rare)}")
        print(f"The figures are in {file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}")

    @property
    def _options(self) -> str:
        return f"--seed {self._seed}" + ("" if self._upstream == "xero" else f" --upstream {self._upstream}")

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self._started

    def _kinds(self) -> dict[str, int]:
        return {kind: self._faults[kind] for kind in sorted({*self._rates, *self._faults})}

    def _figures(self) -> dict[str, int | float]:
        kinds = self._kinds()
        return {
            "schedules": self._schedules,
            "transactions": self._transactions,
            "invocations": self._invocations,
            f"{self._upstream}_calls": self._calls,
            "faults_total": sum(kinds.values()),
            **{f"fault_{kind}": count for kind, count in kinds.items()},
            "violations": self.violations,
            "seconds": round(self._seconds, 1),
        }

    def _print_violations(self, number: int, violations: list[str]) -> None:
        print(f"schedule {number} has {len(violations)} violations; replay it with {self._options} --only {number}")
        for text in violations[:6]:
            print(f"  {text}")
