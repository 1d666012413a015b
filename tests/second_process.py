"""Runs tests in a second process, and reports them as if they had run in this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Generator
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

FOLDER = Path("build")
END_SECONDS_MAX = 60.0
# What the second process tells beside the calls of pytest's hooks.
COLLECTED, END = "collected", "end"
REPORTS = ("pytest_runtest_logreport", "pytest_collectreport")

Told = tuple[str, Any]


class SecondProcess:
    """A plugin of the first process. When its own tests have run, it reports those of the second.

    What the second prints goes to the file `output` in `build`. There may be several such processes.
    """

    def __init__(self, arguments: list[str], output: str = "second-process.log") -> None:
        self._arguments = arguments
        self._output = FOLDER / output
        self._told: SimpleQueue[Told] = SimpleQueue()
        self._has_ended = False

    def pytest_sessionstart(self) -> None:
        # Not a copy of this process: nothing that is imported or open here is there.
        context = multiprocessing.get_context("spawn")
        pipe, its_pipe = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(self._arguments, its_pipe, self._output))
        self._process.start()
        its_pipe.close()
        threading.Thread(target=self._listen, args=(pipe,), daemon=True).start()

    def pytest_report_collectionfinish(self) -> str:
        return "others run in another process, and are reported after these"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        # Both collect at the same time, so this hardly waits. What could not be collected stops both.
        self._report(session, until=COLLECTED)
        done = yield
        self._report(session, until=END)
        return done

    def pytest_unconfigure(self) -> None:
        """After an interruption here, there is something left to interrupt."""
        if not self._has_ended and self._process.is_alive():
            os.kill(int(self._process.pid or 0), signal.SIGINT)
        self._process.join(END_SECONDS_MAX)
        self._process.kill()

    def _listen(self, pipe: Connection) -> None:
        """Takes everything at once: the other never waits until it is asked."""
        try:
            while True:
                self._told.put(pipe.recv())
        except EOFError:
            self._told.put((END, None))

    def _report(self, session: pytest.Session, until: str) -> None:
        hook = session.config.hook
        while not self._has_ended:
            name, told = self._told.get()
            if name == COLLECTED:
                session.testscollected += told
            elif name == END:
                self._has_ended = True
                _require_end(told, session.testsfailed, self._output)
            elif name in REPORTS:
                report = hook.pytest_report_from_serializable(config=session.config, data=told)
                getattr(hook, name)(report=report)
            elif name == "pytest_warning_recorded":
                hook.pytest_warning_recorded.call_historic(kwargs=told)
            else:
                getattr(hook, name)(**told)
            if name == until:
                return


def _require_end(exit_code: int | None, failed: int, output: Path) -> None:
    """Stops everything if the second process did not run all its tests, unless a report says why."""
    complete = exit_code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if not complete and not (failed and exit_code in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)):
        pytest.exit(f"the second process broke off (exit code {exit_code}); see {output}", returncode=3)


def _run(arguments: list[str], pipe: Connection, output: Path) -> None:
    """The second process. What it prints goes to a file."""
    output.parent.mkdir(exist_ok=True)
    with output.open("w") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    # What waits for the local system has deadlines, so it goes first whenever it has something to do.
    os.nice(19)
    pipe.send((END, int(pytest.main(arguments, plugins=[_Telling(pipe)]))))


class _Telling:
    """A plugin of the second process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def pytest_configure(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self._tell_report("pytest_collectreport", report)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._pipe.send((COLLECTED, len(session.items)))

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._pipe.send(("pytest_runtest_logstart", {"nodeid": nodeid, "location": location}))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._tell_report("pytest_runtest_logreport", report)

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._pipe.send(("pytest_runtest_logfinish", {"nodeid": nodeid, "location": location}))

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: tuple[str, int, str] | None
    ) -> None:
        kept = warnings.WarningMessage(
            str(warning_message.message), warning_message.category, warning_message.filename, warning_message.lineno
        )
        where = {"when": when, "nodeid": nodeid, "location": location}
        self._pipe.send(("pytest_warning_recorded", {"warning_message": kept, **where}))

    def _tell_report(self, hook: str, report: pytest.CollectReport | pytest.TestReport) -> None:
        as_data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._pipe.send((hook, as_data))
