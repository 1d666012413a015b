"""`make outbox SCHEDULES=… SEED=…`: every point once, then random schedules; writes `build/outbox.json`."""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests import seeded
from tests.chaos.outbox.points import RATES
from tests.chaos.outbox.schedule import Outcome, run, run_with_one_fault


def main() -> int:
    arguments, started = seeded.arguments("tests.chaos.outbox", __doc__, "schedules", 500, seed=0), time.perf_counter()
    points = len(run_with_one_fault(0).points)
    total = Outcome(violations=[])
    if arguments.only is None:
        for number in range(1, points + 1):
            _add(total, f"one fault, at point {number}", run_with_one_fault(number))
    seeds = range(arguments.schedules) if arguments.only is None else [arguments.only]
    for number in seeds:
        _add(total, f"--seed {arguments.seed} --only {number}", run(arguments.seed * 1_000_003 + number))
    lost, invented = (sum(text.startswith(kind) for text in total.violations) for kind in ("lost", "invented"))
    figures: dict[str, int | float] = {
        "single_points": points,
        "schedules": len(seeds),
        "events": total.events,
        "posts": total.posts,
        "posts_again_same_id": total.twice,
        "faults_total": total.faults.total(),
        **{f"fault_{kind}": total.faults[kind] for kind in sorted(RATES)},
        "violations_lost": lost,
        "violations_invented": invented,
        "violations": len(total.violations),
        "seconds": round(time.perf_counter() - started, 1),
    }
    seeded.write(figures, "outbox")
    print(
        f"One fault at each of {points} points, then {len(seeds)} schedules: {total.events} events, "
        f"{total.posts} posts ({total.twice} repeated with the same id), "
        f"{total.faults.total()} faults: {lost} events lost, "
        f"{invented} invented, {len(total.violations)} violations. It took {figures['seconds']} s."
    )
    return 1 if total.violations else 0


def _add(total: Outcome, name: str, outcome: Outcome) -> None:
    total.events += outcome.events
    total.posts += outcome.posts
    total.twice += outcome.twice
    total.faults += Counter(outcome.faults)
    total.violations += outcome.violations
    for text in outcome.violations[:4]:
        print(f"{name}: {text}")


if __name__ == "__main__":
    sys.exit(main())
