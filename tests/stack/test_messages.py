"""What a person is told when something is missing or in the way."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from local.ports import require_free
from local.processes import Processes, birth
from local.progress import Failure
from tests.stack.template import ROOT

SETUP_FILES = ("local/setup.sh", *(f"requirements/{name}.txt" for name in ("uv", "dev", "former_sdk", "sam")))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone in which nothing is set up yet."""
    for file in SETUP_FILES:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def set_up(checkout: Path, **pythons: str) -> "subprocess.CompletedProcess[str]":
    """With only these Pythons on the path, each a script of one line."""
    tools = checkout / "bin"
    tools.mkdir()
    for name, script in pythons.items():
        (tools / name.replace("_", ".")).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name.replace("_", ".")).chmod(0o755)
    for tool in ("cat", "cmp", "dirname", "rm"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    return subprocess.run(
        ["/bin/sh", checkout / "local/setup.sh"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unsupported_python_is_named_with_what_to_do(checkout: Path) -> None:
    old = 'case "$2" in *exit*) exit 1;; *) echo 3.9.18;; esac'
    done = set_up(checkout, python3=old)

    assert done.returncode == 1
    assert "needs Python 3.11, 3.12, 3.13 or 3.14; python3 here is: 3.9.18" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_no_python_at_all_is_said(checkout: Path) -> None:
    done = set_up(checkout)

    assert done.returncode == 1
    assert "python3 here is: none" in done.stderr


def test_another_supported_python_is_found_behind_an_old_one_and_a_dead_shim(checkout: Path) -> None:
    new = 'case "$2" in *exit*) exit 0;; *base_exec*) echo python3.12;; *ensurepip*) exit 1;; *) echo 3.12.1;; esac'
    done = set_up(checkout, python3='case "$2" in *) exit 1;; esac', python3_13="exit 127", python3_12=new)

    assert "Setting up with Python 3.12.1 (python3.12)" in done.stdout
    assert "its venv module is missing" in done.stderr
    assert "apt-get install python3-venv" in done.stderr


def test_a_port_in_use_is_named_with_its_purpose_and_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Failure, match=f"port {port}, for the API") as failure:
            require_free({port: "the API"})

    assert "FEEDLANE_API_PORT" in str(failure.value)


def test_a_process_that_ends_while_starting_is_reported_with_its_log(tmp_path: Path) -> None:
    processes = Processes(tmp_path, tmp_path / "logs")
    processes.start("part", ["sh", "-c", "echo the reason; exit 3"], dict(os.environ), tmp_path)

    with pytest.raises(Failure, match="part ended while it was starting") as failure:
        processes.wait("part", lambda: False)

    assert "the reason" in str(failure.value)
    assert str(tmp_path / "logs" / "part.log") in str(failure.value)


def test_stopping_ends_the_process_and_what_it_started(tmp_path: Path) -> None:
    processes = Processes(tmp_path, tmp_path / "logs")
    script = "sleep 60 & echo $! > child; wait"
    processes.start("part", ["sh", "-c", script], dict(os.environ), tmp_path)
    processes.wait("part", lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text() != "")

    assert processes.stop("part")
    assert not processes.is_running("part")
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while birth(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)
