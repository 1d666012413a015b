"""An instance's background processes: each starts in its own session and is stopped by its process id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from local.interruption import deferred
from local.progress import Failure, tail

START_SECONDS_MAX = 60.0


class Processes:
    """Keeps the started processes in a file, so that later commands find them."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self._file = folder / "processes.json"
        self._logs = logs

    def start(self, name: str, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        # Otherwise an interruption could leave a process of which nothing is known.
        with deferred(), self.log(name).open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._save(self._load() | {name: {"pid": process.pid, "birth": birth(process.pid)}})

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def is_running(self, name: str) -> bool:
        entry = self._load().get(name)
        return entry is not None and entry["birth"] != "" and birth(int(entry["pid"])) == entry["birth"]

    def wait(self, name: str, is_ready: Callable[[], bool]) -> None:
        """Waits until the process is ready. Raises `Failure` if it ends, or is not ready in time."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not is_ready():
            if not self.is_running(name):
                raise Failure(f"{name} ended while it was starting:\n{tail(self.log(name))}")
            if time.monotonic() > deadline:
                raise Failure(f"{name} was not ready within {START_SECONDS_MAX:.0f} s:\n{tail(self.log(name))}")
            time.sleep(0.1)

    def stop(self, name: str) -> bool:
        """Ends the process and everything it started. Returns whether it was running."""
        was_running = self.is_running(name)
        entries = self._load()
        entry = entries.pop(name, None)
        if was_running and entry:
            _end(int(entry["pid"]))
        self._save(entries)
        return was_running

    def _load(self) -> dict[str, dict[str, str | int]]:
        try:
            entries: dict[str, dict[str, str | int]] = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return entries

    def _save(self, entries: dict[str, dict[str, str | int]]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(entries, indent=2))


def birth(pid: int) -> str:
    """When the process started, or an empty string if it has ended. Process ids alone are reused."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return ""
    except ChildProcessError:
        pass
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if after_name[0] == "Z" else after_name[19]
    except OSError:
        if Path("/proc/self").exists():
            return ""
    result = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return result.stdout.strip()


def _end(pid: int) -> None:
    os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        if not birth(pid):
            break
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        # Also ends what the process left behind: functions' workers are in its group.
        os.killpg(pid, signal.SIGKILL)


def run_in_session(command: list[str], **options: Any) -> int:
    """Runs the command to its end and returns its exit code. An interruption ends all that it has started, too."""
    with deferred():
        process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        return process.wait()
    except BaseException:
        with deferred():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        raise
