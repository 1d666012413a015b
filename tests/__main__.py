"""`python -m tests [paths and options of pytest]`: runs the tests in two processes at once, with one report.

The tests on the local AWS and in a browser wait most of the time, and no two of them may run at once. All others need
little but a processor, so they run beside them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.second_process import SecondProcess

ROOT = Path(__file__).resolve().parent.parent
# All of these run in this process, in which they find the local system started once.
WAITING = tuple(ROOT / "tests" / folder for folder in ("stack", "contract", "browser"))


def run(arguments: list[str]) -> int:
    waiting, others = shared_out(arguments)
    if waiting is None or others is None:
        return pytest.main(arguments)
    return pytest.main(waiting, plugins=[SecondProcess(others)])


def shared_out(arguments: list[str]) -> tuple[list[str] | None, list[str] | None]:
    """The arguments for each of the two processes; None if there is nothing to run in it."""
    paths = [argument for argument in arguments if _is_path(argument)] or ["tests"]
    options = [argument for argument in arguments if not _is_path(argument)]
    waiting = [part for path in paths for part in _waiting_in(path)]
    others = [path for path in paths if not any(_file(path).is_relative_to(folder) for folder in WAITING)]
    left_out = [f"--ignore={folder}" for folder in WAITING]
    return ([*options, *waiting] if waiting else None), ([*options, *left_out, *others] if others else None)


def _waiting_in(path: str) -> list[str]:
    if any(_file(path).is_relative_to(folder) for folder in WAITING):
        return [path]
    return [str(folder) for folder in WAITING if folder.is_relative_to(_file(path))]


def _is_path(argument: str) -> bool:
    return not argument.startswith("-") and _file(argument).exists()


def _file(path: str) -> Path:
    """Without the name of a test, if there is one."""
    return Path(path.partition("::")[0]).resolve()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
