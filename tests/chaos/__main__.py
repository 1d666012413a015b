"""`make chaos SCHEDULES=… SEED=…`: runs the schedules, prints what happened, writes `build/chaos.json`."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.chaos.report import Report
from tests.chaos.schedule import Outcome, run
from tests.chaos.xero import Xero


def main() -> int:
    asked = _arguments()
    report = Report(asked.seed)
    numbers = [asked.only] if asked.only is not None else list(range(asked.schedules))
    jobs = min(len(numbers), os.cpu_count() or 1)
    with ProcessPoolExecutor(jobs) as pool:
        outcomes = pool.map(_run, [(asked.seed, number) for number in numbers], chunksize=5)
        for number, outcome in zip(numbers, outcomes, strict=True):
            report.add(number, outcome)
    report.finish()
    return 1 if report.violations else 0


def _run(schedule: tuple[int, int]) -> Outcome:
    seed, number = schedule
    with Xero.in_process() as xero:
        return run(seed * 1_000_003 + number, xero)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--schedules", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one schedule of this seed, to replay it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
