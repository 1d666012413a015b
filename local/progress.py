"""Progress on the terminal: one line per step, with its duration."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Failure(Exception):
    """A step failed. The message says what happened, and what to do or where to look."""


@contextmanager
def step(title: str) -> Iterator[list[str]]:
    """Prints the title, then the duration and the notes that the step adds to the list."""
    print(f"  {title} ", end="", flush=True)
    started = time.monotonic()
    notes: list[str] = []
    try:
        yield notes
    except BaseException:
        print("failed", flush=True)
        raise
    note = f" ({', '.join(notes)})" if notes else ""
    print(f"{time.monotonic() - started:.1f} s{note}", flush=True)


def stop(failure: Failure) -> None:
    print(f"\n{failure}", file=sys.stderr)
    sys.exit(1)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, and its path."""
    if not log.exists():
        return f"No log was written to {log}."
    end = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([*(f"    {line}" for line in end), f"Full log: {log}"])
