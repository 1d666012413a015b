"""`make chaos SCHEDULES=… SEED=…`: runs the schedules, prints a summary, writes `build/chaos.json`."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor

from tests import seeded
from tests.chaos.report import Report
from tests.chaos.schedule import Outcome, run
from tests.chaos.xero import Xero


def main() -> int:
    arguments = seeded.arguments("tests.chaos", __doc__, "schedules", 200)
    report = Report(arguments.seed)
    numbers = [arguments.only] if arguments.only is not None else list(range(arguments.schedules))
    jobs = min(len(numbers), os.cpu_count() or 1)
    with ProcessPoolExecutor(jobs) as pool:
        outcomes = pool.map(_run, [(arguments.seed, number) for number in numbers], chunksize=5)
        for number, outcome in zip(numbers, outcomes, strict=True):
            report.add(number, outcome)
    report.finish()
    return 1 if report.violations else 0


def _run(schedule: tuple[int, int]) -> Outcome:
    seed, number = schedule
    with Xero.in_process() as xero:
        return run(seed * 1_000_003 + number, xero)


if __name__ == "__main__":
    sys.exit(main())
