"""`make up` on other ports than those on which the local system runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local import instance as instances
from local import system
from local.instance import Instance
from local.processes import Processes
from local.progress import Failure


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Instance:
    """The instance `up` on its usual ports, while it runs on others."""
    monkeypatch.setattr(instances, "BUILD", tmp_path)
    for name in ("AWS", "API", "SIMULATOR"):
        monkeypatch.delenv(f"FEEDLANE_{name}_PORT", raising=False)
    here = Instance.named("up")
    addresses = {
        "awsEndpointUrl": "http://127.0.0.1:14566",
        "apiUrl": "http://localhost:18480",
        "simulatorUrl": "http://localhost:18490",
    }
    here.description.write_text(json.dumps(addresses))
    monkeypatch.setattr(Processes, "is_running", lambda processes, name: True)
    monkeypatch.setattr(system, "_stop", lambda instance, processes: pytest.fail("its data are gone"))
    return here


def test_a_system_on_other_ports_is_neither_stopped_nor_replaced(here: Instance) -> None:
    with pytest.raises(Failure) as failure:
        system.start(here)
    assert "FEEDLANE_AWS_PORT=14566 FEEDLANE_API_PORT=18480 FEEDLANE_SIMULATOR_PORT=18490" in str(failure.value)
    assert "make down" in str(failure.value)


def test_what_has_ended_is_not_in_the_way(here: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Processes, "is_running", lambda processes, name: False)
    monkeypatch.setattr(system, "_stop", lambda instance, processes: False)
    monkeypatch.setattr(system, "_start_parts", lambda instance, processes: pytest.exit("it starts"))
    with pytest.raises(pytest.exit.Exception, match="it starts"):
        system.start(here)


def test_codats_simulator_on_another_port_is_neither_stopped_nor_replaced(here: Instance) -> None:
    usual = {
        "awsEndpointUrl": here.aws_url,
        "apiUrl": here.api_url,
        "simulatorUrl": here.simulator_url,
        "codatSimulatorUrl": "http://localhost:18500",
    }
    here.description.write_text(json.dumps(usual))
    with pytest.raises(Failure, match="FEEDLANE_CODAT_PORT=18500"):
        system.start(here)


def test_ports_that_an_earlier_version_has_kept_are_chosen_anew(here: Instance) -> None:
    kept = here.folder.parent / "test" / "ports.json"
    kept.parent.mkdir()
    kept.write_text("[1, 2, 3]")
    assert Instance.named("test").codat_port != Instance.named("test").simulator_port
    assert len(json.loads(kept.read_text())) == 4
