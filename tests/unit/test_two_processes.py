"""`make test` runs tests in several processes: none is left out, none runs twice, and one report tells of all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.__main__ import ROOT, shared_out

FOLDERS = ("stack", "contract", "browser", "chaos", "races")
STACK, CONTRACT, BROWSER, CHAOS, RACES = (str(ROOT / "tests" / folder) for folder in FOLDERS)
THE_OTHERS = [f"--ignore={folder}" for folder in (STACK, CONTRACT, BROWSER, CHAOS, RACES)]

RUN = """
import sys, pytest
from tests.second_process import SecondProcess
if __name__ == "__main__":
    sys.exit(pytest.main(["first.py"], plugins=[SecondProcess(["second.py"])]))
"""
PASSES = "def test_that_passes(): pass\n"


@pytest.mark.parametrize(
    ("arguments", "shares"),
    [
        ([], [[STACK, CONTRACT, BROWSER], [CHAOS, RACES], [*THE_OTHERS, "tests"]]),
        (["tests"], [[STACK, CONTRACT, BROWSER], [CHAOS, RACES], [*THE_OTHERS, "tests"]]),
        (
            ["-x", "tests"],
            [["-x", STACK, CONTRACT, BROWSER], ["-x", CHAOS, RACES], ["-x", *THE_OTHERS, "tests"]],
        ),
        (["tests/unit"], [[*THE_OTHERS, "tests/unit"]]),
        (["tests/stack/test_road.py::test_x"], [["tests/stack/test_road.py::test_x"]]),
        (["tests/stack", "tests/chaos"], [["tests/stack"], ["tests/chaos"]]),
    ],
)
def test_each_path_goes_where_it_belongs(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], shares: list[list[str]]
) -> None:
    monkeypatch.chdir(ROOT)
    assert shared_out(arguments) == shares


def run(folder: Path, first: str, second: str) -> subprocess.CompletedProcess[str]:
    for name, text in {"first.py": first, "second.py": second, "run.py": RUN}.items():
        (folder / name).write_text(text)
    path = f"{ROOT}:{ROOT / 'layers' / 'feedlane'}"
    return subprocess.run(
        [sys.executable, "run.py"],
        cwd=folder,
        env={"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def summary(done: subprocess.CompletedProcess[str]) -> str:
    """The last line, without its time."""
    return re.sub(r"[= ]*(.*) in .*", r"\1", done.stdout.splitlines()[-1])


def test_one_report_tells_of_both(tmp_path: Path) -> None:
    second = PASSES + "import warnings\ndef test_warns(): warnings.warn('of the second')\n"
    done = run(tmp_path, PASSES, second)
    assert (done.returncode, summary(done)) == (0, "3 passed, 1 warning"), done.stdout
    assert "of the second" in done.stdout
    assert "[100%]" in done.stdout


def test_a_failure_there_fails_all_and_is_shown_as_one_from_here(tmp_path: Path) -> None:
    second = "def test_that_fails():\n    print('said before')\n    assert 1 == 2\n"
    done = run(tmp_path, PASSES, second)
    assert (done.returncode, summary(done)) == (1, "1 failed, 1 passed"), done.stdout
    assert "E       assert 1 == 2" in done.stdout
    assert "said before" in done.stdout
    assert "FAILED second.py::test_that_fails - assert 1 == 2" in done.stdout


def test_a_failure_here_leaves_the_report_of_the_others(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_that_fails(): assert False\n", PASSES)
    assert (done.returncode, summary(done)) == (1, "1 failed, 1 passed"), done.stdout


def test_what_cannot_be_collected_there_fails_all(tmp_path: Path) -> None:
    done = run(tmp_path, PASSES, "import nothing_of_this_name\n")
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout
    assert "No module named 'nothing_of_this_name'" in done.stdout


@pytest.mark.parametrize("when", ["import os; os._exit(0)\n", "import os\ndef test_that_dies(): os._exit(0)\n"])
def test_a_second_process_that_dies_fails_all(tmp_path: Path, when: str) -> None:
    done = run(tmp_path, PASSES, PASSES + when)
    assert done.returncode == 3, done.stdout
    assert "the second process broke off" in done.stdout


def test_no_tests_there_are_no_failure(tmp_path: Path) -> None:
    done = run(tmp_path, PASSES, "")
    assert (done.returncode, summary(done)) == (0, "1 passed"), done.stdout
