"""`make races SEEDS=… SEED=…`: runs the seeds, prints a summary, writes `build/races.json`."""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests import seeded
from tests.races import services
from tests.races.pool import SIZE, Pool
from tests.races.race import Outcome, run

PROGRESS_EVERY = 20


def main() -> int:
    arguments = seeded.arguments("tests.races", __doc__, "seeds", 200)
    seeds = (
        [arguments.only]
        if arguments.only is not None
        else list(range(arguments.seed, arguments.seed + arguments.seeds))
    )
    started, total = time.perf_counter(), Outcome()
    with services.started() as running, Pool(running) as pool:
        for done, seed in enumerate(seeds, 1):
            _add(total, run(running, pool, seed), seed)
            if done % PROGRESS_EVERY == 0:
                seconds = time.perf_counter() - started
                print(f"{done} seeds, {seconds:.0f} s, {len(total.violations)} violations", flush=True)
    figures = _figures(len(seeds), total, time.perf_counter() - started)
    seeded.write(figures, "races")
    print(
        f"{len(seeds)} seeds, {total.acts.total()} acts in {SIZE} processes: {total.requests} requests, "
        f"{total.refreshes} refreshes, {total.deaths} processes killed, {len(total.violations)} violations. "
        f"It took {figures['seconds']:.0f} s."
    )
    return 1 if total.violations else 0


def _add(total: Outcome, outcome: Outcome, seed: int) -> None:
    total.violations += outcome.violations
    total.acts += outcome.acts
    total.requests += outcome.requests
    total.deaths += outcome.deaths
    total.refreshes += outcome.refreshes
    if outcome.violations:
        print(f"seed {seed} has {len(outcome.violations)} violations; replay it with --only {seed}")
        for text in outcome.violations[:6]:
            print(f"  {text}")


def _figures(seeds: int, total: Outcome, seconds: float) -> dict[str, int | float]:
    acts: Counter[str] = total.acts
    return {
        "seeds": seeds,
        "processes": SIZE,
        "asks": total.requests,
        "refreshes": total.refreshes,
        "processes_killed": total.deaths,
        **{f"act_{name}": count for name, count in sorted(acts.items())},
        "violations": len(total.violations),
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
