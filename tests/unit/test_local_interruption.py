"""Ctrl-C in `make up`: wherever it comes, no process and no half state is left."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local import deployment, interruption, ministack, system
from local import instance as instances
from local.instance import Instance
from local.processes import Processes, birth, run_in_session

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
STEPS = [
    "aws starts", "aws is awaited", "simulator is awaited", "build", "deploy", "gateway is awaited", "first function",
    "bootstrap", "described",
]  # fmt: skip


class Run:
    """`make up` whose parts are processes that sleep, and which is interrupted at a step."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.step = ""
        self.pids: list[int] = []
        self.instance = Instance.named("probe")
        start = Processes.start

        def start_sleeping(processes: Processes, name: str, *_rest: Any) -> None:
            start(processes, name, SLEEPS, dict(os.environ), Path("/"))
            self.pids.append(int(processes._load()[name]["pid"]))

        def start_aws(_instance: Instance, processes: Processes) -> None:
            processes.start(ministack.NAME, [], {}, Path("/"))
            self.at("aws starts")
            processes.wait(ministack.NAME, lambda: True)

        patch.setattr(Processes, "start", start_sleeping)
        patch.setattr(Processes, "wait", lambda processes, name, is_ready: self.at(f"{name} is awaited"))
        patch.setattr(ministack, "start", start_aws)
        patch.setattr(ministack, "is_ready", lambda instance: True)
        patch.setattr(system, "_answers", lambda url: True)
        patch.setattr(Instance, "outputs", lambda instance: {"ApiId": "api", "TransactionsQueueUrl": "queue"})
        patch.setattr(deployment, "build", self.does("build", True))
        patch.setattr(deployment, "deploy", self.does("deploy", True))
        patch.setattr(system, "_await_functions", self.does("first function"))
        patch.setattr(system, "bootstrap", self.does("bootstrap", {"apiKey": "key"}))

    def does(self, step: str, result: Any = None) -> Callable[..., Any]:
        def act(*_arguments: Any) -> Any:
            self.at(step)
            return result

        return act

    def at(self, step: str) -> None:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)

    def interrupted_at(self, step: str) -> None:
        self.step = step
        with pytest.raises(KeyboardInterrupt):
            self.start()

    def start(self) -> None:
        system.start(self.instance)
        self.at("described")

    def files(self) -> list[str]:
        """What is kept about the instance, without its logs."""
        files = [path for path in self.instance.folder.rglob("*") if path.is_file()]
        return [path.name for path in files if path.parent.name != "logs"]


@pytest.fixture(autouse=True)
def in_the_foreground() -> Iterator[None]:
    """As somebody at a terminal starts it. A shell that runs the tests in the background has SIGINT ignored."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setattr(instances, "BUILD", tmp_path)
    return Run(monkeypatch)


@pytest.mark.parametrize("step", STEPS[:-1])
def test_an_interruption_leaves_nothing_behind(run: Run, step: str) -> None:
    run.interrupted_at(step)
    assert run.pids
    assert [pid for pid in run.pids if birth(pid)] == []
    assert run.files() == []
    assert Instance.existing("probe") is None


@pytest.mark.parametrize("step", ["build", "deploy", "first function"])
def test_a_system_that_was_running_survives_an_interruption(run: Run, step: str) -> None:
    run.start()
    run.interrupted_at(step)
    try:
        assert all(map(birth, run.pids))
        run.step = ""
        run.start()
        assert len(run.pids) == 3
    finally:
        system.stop(run.instance)


def test_an_interruption_while_all_ends_does_not_keep_it_from_ending(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Processes.stop

    def stop_under_interruptions(processes: Processes, name: str) -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        return stop(processes, name)

    run.start()
    system.stop(run.instance)
    run.pids.clear()
    monkeypatch.setattr(run, "at", lambda step: _only_at("deploy", step, monkeypatch, stop_under_interruptions))
    with pytest.raises(KeyboardInterrupt):
        run.start()
    assert [pid for pid in run.pids if birth(pid)] == []
    assert run.files() == []


def _only_at(wanted: str, step: str, monkeypatch: pytest.MonkeyPatch, stop: Callable[..., bool]) -> None:
    if step == wanted:
        monkeypatch.setattr(Processes, "stop", stop)
        raise KeyboardInterrupt


def test_an_interrupted_command_ends_with_all_that_it_has_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = ["sh", "-c", f"sleep 60 & echo $! >{pids}; sleep 60 & echo $! >>{pids}; wait"]

    def interrupt() -> None:
        while not pids.exists() or len(pids.read_text().split()) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run_in_session(command)
    deadline = time.monotonic() + 5
    while any(map(birth, map(int, pids.read_text().split()))):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_deferred_interruption_comes_once_and_afterwards() -> None:
    done: list[str] = []

    def both() -> None:
        with interruption.deferred():
            os.kill(os.getpid(), signal.SIGINT)
            with interruption.deferred():
                os.kill(os.getpid(), signal.SIGINT)
            done.append("inner")
        done.append("after")

    with pytest.raises(KeyboardInterrupt):
        both()
    assert done == ["inner"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_was_started_to_ignore_a_signal_goes_on_doing_so(monkeypatch: pytest.MonkeyPatch) -> None:
    former = {number: signal.getsignal(number) for number in interruption.SIGNALS}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        interruption.heed_all()
        os.kill(os.getpid(), signal.SIGHUP)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
