"""`python -m tests [paths and options of pytest]`: runs the tests in three processes at once, with one report.

The tests on the local AWS and in a browser wait most of the time, and no two of them may run at once. All others need
little but a processor, so they run beside them: the random schedules in one process, all others in another.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.second_process import SecondProcess

ROOT = Path(__file__).resolve().parent.parent
# All of these run in the first process, in which they find the local system started once.
WAITING = tuple(ROOT / "tests" / folder for folder in ("stack", "contract", "browser"))
SCHEDULES = tuple(ROOT / "tests" / folder for folder in ("chaos", "races"))


def run(arguments: list[str]) -> int:
    first, *others = shared_out(arguments)
    plugins = [SecondProcess(part, f"process-{number}.log") for number, part in enumerate(others, 2)]
    return pytest.main(first, plugins=plugins)


def shared_out(arguments: list[str]) -> list[list[str]]:
    """The arguments for each of the processes, the first one's first."""
    paths = [argument for argument in arguments if _is_path(argument)] or ["tests"]
    options = [argument for argument in arguments if not _is_path(argument)]
    parts = [[part for path in paths for part in _parts_in(path, folders)] for folders in (WAITING, SCHEDULES)]
    left_out = (*WAITING, *SCHEDULES)
    others = [path for path in paths if not any(_file(path).is_relative_to(folder) for folder in left_out)]
    shares = [[*options, *part] for part in parts if part]
    if others:
        shares.append([*options, *(f"--ignore={folder}" for folder in left_out), *others])
    return shares


def _parts_in(path: str, folders: tuple[Path, ...]) -> list[str]:
    if any(_file(path).is_relative_to(folder) for folder in folders):
        return [path]
    return [str(folder) for folder in folders if folder.is_relative_to(_file(path))]


def _is_path(argument: str) -> bool:
    return not argument.startswith("-") and _file(argument).exists()


def _file(path: str) -> Path:
    """Without the name of a test, if there is one."""
    return Path(path.partition("::")[0]).resolve()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
