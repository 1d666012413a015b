"""Codat on the local system: only where it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import codat, deployment, ministack, system
from local import instance as instances
from local.instance import Instance
from local.processes import Processes


class Machine:
    """The processes that run, and the settings that were made; nothing is really started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.running: set[str] = set()
        self.set_up: list[str] = []
        self._replace = monkeypatch.setattr
        self._replace(Processes, "is_running", lambda processes, name: name in self.running)
        self._replace(Processes, "start", lambda processes, name, *how: self.running.add(name))
        self._replace(Processes, "stop", lambda processes, name: self._stop(name))
        self._replace(Processes, "wait", lambda processes, name, is_ready: None)
        self._replace(ministack, "start", lambda instance, processes: self.running.add(ministack.NAME))
        self._replace(ministack, "is_ready", lambda instance: True)
        self._replace(codat, "is_ready", lambda instance: True)
        self._replace(codat, "require_free", lambda ports: None)
        for name in ("build", "deploy"):
            self._replace(deployment, name, lambda *_: True)
        self._nothing("require_free", "_await_functions")
        self._replace(system, "_answers", lambda url: True)
        self._replace(system, "bootstrap", lambda instance, empty: {"apiKey": "key"})
        self._replace(Instance, "outputs", lambda instance: {"ApiId": "api", "TransactionsQueueUrl": "queue"})
        for name in ("set_up_codat", "choose_codat"):
            self._replace(system, name, self._notes(name))

    def _stop(self, name: str) -> bool:
        was_running = name in self.running
        self.running.discard(name)
        return was_running

    def _nothing(self, *names: str) -> None:
        for name in names:
            self._replace(system, name, lambda *_: None)

    def _notes(self, name: str) -> Callable[..., None]:
        def note(*_: Any) -> None:
            self.set_up.append(name)

        return note


@pytest.fixture
def up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Instance:
    monkeypatch.setattr(instances, "BUILD", tmp_path)
    for name in (*instances.PORT_NAMES, "FEEDLANE_CODAT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    return Instance.named("up")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, up: Instance) -> Machine:
    return Machine(monkeypatch)


def described(instance: Instance) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(instance.description.read_text())
    return described


def test_without_it_nothing_of_codat_is_started_set_up_or_shown(up: Instance, machine: Machine) -> None:
    system.start(up)
    assert codat.NAME not in machine.running | set(system.status(up))
    assert machine.set_up == []
    assert not [name for name in described(up) if "codat" in name.lower()]


def test_it_may_be_added_to_a_running_system_and_is_set_up_once(up: Instance, machine: Machine) -> None:
    system.start(up)
    system.start(up, upstream="codat")
    system.start(up, upstream="codat")
    assert machine.set_up == ["set_up_codat", "choose_codat"]
    assert system.status(up) == dict.fromkeys((ministack.NAME, codat.NAME, system.SIMULATOR, system.GATEWAY), True)
    assert described(up)["codatSimulatorUrl"] == described(up)["codatApiUrl"] == up.codat_simulator_url


def test_an_empty_system_has_it_and_knows_nothing_of_it(up: Instance, machine: Machine) -> None:
    system.start(up, empty=True, upstream="codat")
    assert codat.NAME in machine.running
    assert machine.set_up == []


def test_it_is_stopped_with_the_others(up: Instance, machine: Machine) -> None:
    system.start(up, upstream="codat")
    assert system.stop(up)
    assert machine.running == set()
    assert codat.NAME not in system.status(up)


def test_without_its_data_everything_starts_anew(up: Instance, machine: Machine) -> None:
    system.start(up, upstream="codat")
    machine.running.discard(codat.NAME)
    system.start(up, upstream="codat")
    assert machine.set_up == ["set_up_codat", "choose_codat"] * 2


def test_another_codat_is_set_up_and_not_simulated(
    up: Instance, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDLANE_CODAT_API_URL", "https://api.codat.example/")
    system.start(up, upstream="codat")
    assert codat.NAME not in machine.running
    assert machine.set_up == ["set_up_codat", "choose_codat"]
    assert described(up)["codatApiUrl"] == "https://api.codat.example"
    assert "codatSimulatorUrl" not in described(up)
