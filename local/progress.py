"""Progress on the terminal: one line per step, with its duration."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Failure(Exception):
    """A step failed. The message says what happened, and what to do or where to look."""


# Who has waited this long wants to know why.
LONG_SECONDS = 4.0


@contextmanager
def step(title: str, why_long: str = "") -> Iterator[list[str]]:
    """Prints the title, then the duration and the notes that the step adds to the list.

    `why_long` is printed as soon as the step takes long.
    """
    print(f"  {title} ", end="", flush=True)
    started = time.monotonic()
    notes: list[str] = []
    reason = threading.Timer(LONG_SECONDS, lambda: print(f"... {why_long} ... ", end="", flush=True))
    reason.daemon = True
    if why_long:
        reason.start()
    try:
        yield notes
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        raise
    except BaseException:
        print("failed", flush=True)
        raise
    finally:
        reason.cancel()
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
