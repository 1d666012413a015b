"""`python -m tests.benchmarks`: runs all, prints a table, writes `build/bench.json`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import click

from local.instance import BUILD
from tests.benchmarks import calls, compute, cost, drain, durations, push_latency, stack
from tests.benchmarks.figures import Figure

RESULT = BUILD / "bench.json"


def main() -> None:
    began = time.monotonic()
    figures = [*measured("compute", compute.run), *measured("calls", calls.run)]
    with stack.running() as deployed:
        figures += measured("push latency", lambda: push_latency.run(deployed))
        took = durations.of_pushes(deployed)
        figures += measured("drain", lambda: drain.run(deployed))
    figures += measured("cost", lambda: cost.run(took))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({figure.name: figure.rounded for figure in figures}, indent=2) + "\n")
    show(figures)
    click.echo(f"\nWritten to {RESULT.relative_to(BUILD.parent)}; it took {time.monotonic() - began:.0f} s.")


def measured(what: str, run: Callable[[], list[Figure]]) -> list[Figure]:
    click.echo(f"Measuring {what} ...")
    return run()


def show(figures: list[Figure]) -> None:
    click.echo(f"\n{'figure':<26}{'measured':>10}  {'aim':<8}{'':<8}against")
    for figure in figures:
        verdict = "" if not figure.aim else "met" if figure.is_met else "MISSED"
        click.echo(f"{figure.name:<26}{figure.rounded:>10g}  {figure.aim:<8}{verdict:<8}{figure.floor}")


if __name__ == "__main__":
    main()
