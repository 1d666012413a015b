"""`python -m tests.benchmarks`: runs all, prints a table, writes `build/bench.json`. `--only drain` runs one of them.

Whoever runs only some leaves the other figures of `build/bench.json` as they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from local.instance import BUILD
from tests.benchmarks import calls, compute, cost, drain, durations, push_latency, stack
from tests.benchmarks.figures import Figure

RESULT = BUILD / "bench.json"
PARTS = ("compute", "calls", "latency", "drain", "cost")
# What acts on the deployed system; the cost asks it how long its functions take.
DEPLOYED = {"latency", "drain", "cost"}


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Run only this; may be given several times.")
def main(only: tuple[str, ...]) -> None:
    began, wanted = time.monotonic(), set(only or PARTS)
    figures = list(measured(wanted))
    RESULT.parent.mkdir(exist_ok=True)
    told: dict[str, Any] = json.loads(RESULT.read_text()) if only and RESULT.exists() else {}
    told |= {figure.name: figure.rounded for figure in figures}
    RESULT.write_text(json.dumps(told, indent=2) + "\n")
    show(figures)
    click.echo(f"\nWritten to {RESULT.relative_to(BUILD.parent)}; it took {time.monotonic() - began:.0f} s.")


def measured(wanted: set[str]) -> Iterator[Figure]:
    if "compute" in wanted:
        yield from run("compute", compute.run)
    if "calls" in wanted:
        yield from run("calls", calls.run)
    if not wanted & DEPLOYED:
        return
    took: dict[str, float] = {}
    with stack.running() as deployed:
        if "latency" in wanted:
            yield from run("push latency", lambda: push_latency.run(deployed))
        if "cost" in wanted:
            took = durations.of_pushes(deployed)
        if "drain" in wanted:
            yield from run("drain", lambda: drain.run(deployed))
    if "cost" in wanted:
        yield from run("cost", lambda: cost.run(took))


def run(what: str, measure: Callable[[], list[Figure]]) -> list[Figure]:
    click.echo(f"Measuring {what} ...")
    return measure()


def show(figures: list[Figure]) -> None:
    click.echo(f"\n{'figure':<26}{'measured':>10}  {'aim':<8}{'':<8}against")
    for figure in figures:
        verdict = "" if not figure.aim else "met" if figure.is_met else "MISSED"
        click.echo(f"{figure.name:<26}{figure.rounded:>10g}  {figure.aim:<8}{verdict:<8}{figure.floor}")


if __name__ == "__main__":
    main()
