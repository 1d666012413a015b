"""Instances of any name: `make up INSTANCE=name`, what it prints, and `make open`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from local import __main__ as command_line
from local import instance as instances
from local import welcome
from local.codat_simulator.state import DEFAULT_API_KEY
from local.instance import PORTS, ROOT, Instance
from local.progress import Failure
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET


@pytest.fixture(autouse=True)
def build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(instances, "BUILD", tmp_path)
    monkeypatch.setattr(welcome, "ROOT", tmp_path)
    for variable in ("FEEDLANE_XERO_IDENTITY_URL", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def test_an_instance_of_any_name_has_ports_of_its_own_and_keeps_them() -> None:
    second, third = Instance.named("second"), Instance.named("a-third1")
    ports = {second.aws_port, second.api_port, second.simulator_port}
    assert len(ports) == 3
    assert ports.isdisjoint({third.aws_port, third.api_port, third.simulator_port})
    assert ports.isdisjoint(port for all_ports in PORTS.values() for port in all_ports)
    assert Instance.named("second") == second


@pytest.mark.parametrize(
    "name", ["", "Up", "a b", "../up", "a/b", "-a", "1st", "a" * 32, "sam", "layer-cache", "up\n", "é"]
)
def test_a_name_that_cannot_be_a_folder_of_its_own_is_refused(name: str, build: Path) -> None:
    for find in (Instance.named, Instance.existing):
        with pytest.raises(Failure, match="small letters"):
            find(name)
    assert list(build.iterdir()) == []


@pytest.mark.parametrize("command", ["down", "status", "open"])
def test_asking_about_an_instance_that_is_not_there_does_not_make_it(command: str, build: Path) -> None:
    answer = CliRunner().invoke(command_line.commands, [command, "--instance", "nobody"])
    assert "not running" in answer.output + str(answer.exception)
    assert list(build.iterdir()) == []


def described(name: str = "up", *, empty: bool) -> tuple[Instance, dict[str, object]]:
    instance = Instance.named(name)
    description: dict[str, object] = {
        "apiUrl": instance.api_url,
        "portalUrl": f"{instance.api_url}/portal",
        "simulatorUrl": instance.simulator_url,
        "apiKey": "fl_key",
        "empty": empty,
    }
    instance.description.write_text(json.dumps(description))
    return instance, description


def test_a_newcomer_is_told_all_that_the_set_up_guide_asks_for() -> None:
    text = welcome.text(*described("second", empty=True))
    instance = Instance.named("second")
    for told in (
        f"{instance.api_url}/portal",
        "make open INSTANCE=second",
        "fl_key",
        f"{instance.simulator_url}/",
        DEFAULT_CLIENT_ID,
        DEFAULT_CLIENT_SECRET,
        f"{instance.api_url}/oauth/callback",
        "set-up guide",
        "second/local.json",
    ):
        assert told in text


def test_a_newcomer_who_goes_through_codat_is_told_its_key() -> None:
    instance, description = described("second", empty=True)
    assert DEFAULT_API_KEY not in welcome.text(instance, description)
    description["codatSimulatorUrl"] = instance.codat_simulator_url
    assert DEFAULT_API_KEY in welcome.text(instance, description)
    assert DEFAULT_API_KEY not in welcome.text(instance, description | {"empty": False})


def test_a_system_that_is_set_up_has_no_keys_to_enter() -> None:
    text = welcome.text(*described(empty=False))
    assert DEFAULT_CLIENT_SECRET not in text
    assert "make open opens it" in text


def test_with_xero_itself_there_is_nothing_simulated_to_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDLANE_XERO_IDENTITY_URL", "https://identity.xero.com")
    assert "simulat" not in welcome.text(*described(empty=True)).lower()


def test_without_a_browser_the_address_is_printed() -> None:
    described(empty=False)
    answer = CliRunner().invoke(command_line.commands, ["open"])
    assert answer.exit_code == 0
    assert "/portal\nSign in with fl_key\nNo browser" in answer.output


def test_with_a_browser_it_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    described(empty=False)
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" >{tmp_path}/opened\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("sys.platform", "linux")
    answer = CliRunner().invoke(command_line.commands, ["open"])
    assert "No browser" not in answer.output
    assert (tmp_path / "opened").read_text().strip().endswith("/portal")


def test_whoever_lacks_a_python_is_told_the_command_that_they_gave(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "local").mkdir(parents=True)
    for file in ("Makefile", "local/setup.sh"):
        (repository / file).write_bytes((ROOT / file).read_bytes())
    (repository / "local/setup.sh").chmod(0o755)
    (repository / "requirements").mkdir()
    for file in ("uv", "dev", "sam"):
        (repository / "requirements" / f"{file}.txt").touch()
    for target in ("up", "demo"):
        command = ["make", "-C", str(repository), target, "EMPTY=1", "PYTHON=no-python"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert f"    make {target} EMPTY=1 PYTHON=/path/to/python3.13" in answer.stderr
