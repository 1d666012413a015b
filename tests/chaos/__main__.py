"""`make chaos SCHEDULES=… SEED=… UPSTREAM=…`: runs the schedules, prints a summary, writes `build/chaos.json`.

With the upstream `codat`, the file is `build/chaos-codat.json`.
"""

from __future__ import annotations

import os
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor

from tests import seeded
from tests.chaos.faults import RATES
from tests.chaos.report import Report
from tests.chaos.schedule import Outcome, run
from tests.chaos.xero import Xero

XERO, CODAT = "xero", "codat"


def main() -> int:
    parser = seeded.parser("tests.chaos", __doc__, "schedules", 200)
    parser.add_argument("--upstream", choices=(XERO, CODAT), default=XERO)
    arguments = parser.parse_args()
    report = Report(arguments.seed, arguments.upstream, _rates(arguments.upstream))
    numbers = [arguments.only] if arguments.only is not None else list(range(arguments.schedules))
    jobs = min(len(numbers), os.cpu_count() or 1)
    with ProcessPoolExecutor(jobs) as pool:
        schedules = [(arguments.upstream, arguments.seed, number) for number in numbers]
        outcomes = pool.map(_run, schedules, chunksize=5)
        for number, outcome in zip(numbers, outcomes, strict=True):
            report.add(number, outcome)
    report.finish()
    return 1 if report.violations else 0


def _rates(upstream: str) -> dict[str, float]:
    if upstream == XERO:
        return RATES
    from tests.chaos.codat import faults

    return faults.RATES


def _run(schedule: tuple[str, int, int]) -> Outcome:
    """What the schedule found. An error of its own ends it alone, and is a violation too."""
    try:
        return _played(schedule)
    except Exception as error:
        traceback.print_exc()
        return Outcome(violations=[f"unforeseen: it ended with {error!r}"])


def _played(schedule: tuple[str, int, int]) -> Outcome:
    upstream, seed, number = schedule
    if upstream == XERO:
        with Xero.in_process() as xero:
            return run(seed * 1_000_003 + number, xero)
    from tests.chaos.codat.schedule import run as run_through_codat
    from tests.chaos.codat.simulator import InProcessCodat

    with InProcessCodat.in_process() as codat:
        return run_through_codat(seed * 1_000_003 + number, codat)


if __name__ == "__main__":
    sys.exit(main())
