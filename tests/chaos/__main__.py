"""`make chaos SCHEDULES=… SEED=…`: runs the schedules, prints what happened, writes `build/chaos.json`."""

from __future__ import annotations

import argparse
import sys

from tests.chaos.report import Report
from tests.chaos.schedule import run
from tests.chaos.xero import Xero


def main() -> int:
    asked = _arguments()
    report, xero = Report(asked.seed), Xero()
    numbers = [asked.only] if asked.only is not None else range(asked.schedules)
    for number in numbers:
        report.add(number, run(asked.seed * 1_000_003 + number, xero))
    report.finish()
    return 1 if report.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--schedules", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one schedule of this seed, to replay it")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
