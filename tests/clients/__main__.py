"""Three unmodified clients of Xero's API against the simulator: `make clients`.

Each runs in a process and an environment of its own, which tests/clients/install.sh has made, and once in each of two
worlds. The exit code is 1 if a point failed.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from local.simulator.server import RunningSimulator, serve_in_thread
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.clients.world import REGIONS, WORLDS, prepare

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parent.parent / "build" / "clients"
PYTHON = str(ENVIRONMENT / "python" / "bin" / "python")
COMMANDS = {
    "xero-node": ["node", str(HERE / "node" / "run.js")],
    "xero-python": [PYTHON, str(HERE / "python" / "run.py")],
    "pyxero": [PYTHON, str(HERE / "pyxero" / "run.py")],
}
SECONDS_MAX = 300


@dataclass
class Result:
    """`calls` are the requests that the simulator got from the client, without the user's browser."""

    client: str
    world: str
    calls: int = 0
    passed: int = 0
    failed: list[str] = field(default_factory=list)


def main(chosen: list[str]) -> int:
    with serve_in_thread() as simulator:
        results = [_run(simulator, client, world) for client in chosen for world in WORLDS]
    print(f"\n{'client':<14}{'Xero':<10}{'calls made':>12}{'passed':>9}{'failed':>9}")
    for result in results:
        print(f"{result.client:<14}{result.world:<10}{result.calls:>12}{result.passed:>9}{len(result.failed):>9}")
    for result in results:
        for failure in result.failed:
            print(f"\n{result.client}, {result.world}: {failure}")
    return 1 if any(result.failed for result in results) else 0


def _run(simulator: RunningSimulator, client: str, world: str) -> Result:
    prepare(simulator.url, WORLDS[world])
    result = Result(client, world)
    environment = os.environ | {
        "SIMULATOR": simulator.url,
        "WORLD": world,
        "CLIENT_ID": DEFAULT_CLIENT_ID,
        "CLIENT_SECRET": DEFAULT_CLIENT_SECRET,
        "REGIONS": json.dumps([name for name, *_ in REGIONS]),
        "PYTHONPATH": str(HERE),
        "NODE_PATH": str(ENVIRONMENT / "node" / "node_modules"),
        "NO_PROXY": "*",
    }
    try:
        done = subprocess.run(
            COMMANDS[client], env=environment, stdout=subprocess.PIPE, text=True, timeout=SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        result.failed.append(f"did not end within {SECONDS_MAX} seconds")
        return result
    for line in done.stdout.splitlines():
        point = json.loads(line)
        if point["error"] is None:
            result.passed += 1
        else:
            result.failed.append(f"{point['point']}: {point['error']}")
    if done.returncode != 0:
        result.failed.append(f"ended with {done.returncode}")
    if not result.passed:
        result.failed.append("nothing passed")
    calls = simulator.state.calls
    result.calls = sum(not call.path.startswith("/identity/connect/authorize") for call in calls)
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(COMMANDS)))
