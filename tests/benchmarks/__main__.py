"""`python -m tests.benchmarks`: runs all benchmarks, prints a table, writes `build/bench.json`.

`--only drain` runs one benchmark and leaves the other figures in `build/bench.json` as they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import click

from local.instance import BUILD
from tests.benchmarks import (
    alone,
    batches,
    calls,
    codat,
    compute,
    cost,
    drain,
    durations,
    lists,
    pages,
    push_latency,
    slots,
    stack,
)
from tests.benchmarks.figures import Figure

RESULT = BUILD / "bench.json"
IN_PROCESS: dict[str, Callable[[], list[Figure]]] = {
    "compute": compute.run,
    "calls": calls.run,
    "codat": codat.run,
    "batches": batches.run,
    "slots": slots.run,
    "lists": lists.run,
    "pages": pages.run,
}
# These need the deployed system. If it runs for them, the cost takes the functions' durations from it.
DEPLOYED: dict[str, Callable[[stack.Stack], list[Figure]]] = {
    "latency": push_latency.run,
    "alone": alone.run,
    "drain": drain.run,
}
PARTS = (*IN_PROCESS, *DEPLOYED, "cost")


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Run only this benchmark. May be repeated.")
def main(only: tuple[str, ...]) -> None:
    began, selected = time.monotonic(), set(only or PARTS)
    figures = list(measure_all(selected))
    RESULT.parent.mkdir(exist_ok=True)
    results: dict[str, Any] = json.loads(RESULT.read_text()) if only and RESULT.exists() else {}
    results |= {figure.name: figure.rounded for figure in figures}
    RESULT.write_text(json.dumps(results, indent=2) + "\n")
    show(figures)
    click.echo(f"\nThe figures are in {RESULT.relative_to(BUILD.parent)}. It took {time.monotonic() - began:.0f} s.")


def measure_all(selected: set[str]) -> Iterator[Figure]:
    for part, measure in IN_PROCESS.items():
        if part in selected:
            yield from run(part, measure)
    seconds: dict[str, float] = {}
    if selected & set(DEPLOYED):
        with stack.running() as deployed:
            if "cost" in selected:
                seconds = durations.of_pushes(deployed)
            for part, measure_deployed in DEPLOYED.items():
                if part in selected:
                    yield from run(part, partial(measure_deployed, deployed))
    if "cost" in selected:
        yield from run("cost", lambda: cost.run(seconds))


def run(what: str, measure: Callable[[], list[Figure]]) -> list[Figure]:
    click.echo(f"Measuring {what} ...")
    return measure()


def show(figures: list[Figure]) -> None:
    click.echo(f"\n{'figure':<30}{'measured':>10}  {'aim':<8}{'':<8}against")
    for figure in figures:
        verdict = "" if not figure.aim else "met" if figure.is_met else "MISSED"
        click.echo(f"{figure.name:<30}{figure.rounded:>10g}  {figure.aim:<8}{verdict:<8}{figure.floor}")


if __name__ == "__main__":
    main()
