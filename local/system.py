"""Starts and stops the whole system on one machine, and reports its status."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from typing import Any

import httpx

from local import codat, deployment, ministack
from local.bootstrap import bootstrap, choose_codat, set_up_codat
from local.instance import REGION, ROOT, STACK, Instance, architecture, runtime
from local.interruption import deferred
from local.ports import require_free
from local.processes import Processes
from local.progress import Failure, step, tail

SIMULATOR = "simulator"
GATEWAY = "gateway"
# In the order of stopping: without the gateway, no one is served by half a system.
NAMES = (GATEWAY, SIMULATOR, codat.NAME, ministack.NAME)


def start(instance: Instance, empty: bool = False, upstream: str = "xero") -> dict[str, Any]:
    """Starts what is not running yet, and returns the instance's description.

    With the `upstream` codat, Codat is there too, and connections to come go through it. It may be added to a system
    that is running, and then stays.

    Raises
    ------
    Failure
        Names the step and its log. Whatever has started keeps running for inspection.
    KeyboardInterrupt
        Nothing is left of a system that was starting. One that was running keeps running, with its data.
    """
    processes = _processes(instance)
    was_running = any(map(processes.is_running, NAMES))
    try:
        return _start(instance, processes, empty, upstream)
    except KeyboardInterrupt:
        if was_running and instance.description.exists():
            raise
        with deferred():
            print("\nInterrupted. Ending what has started ...", flush=True)
            stop(instance)
        raise


def _start(instance: Instance, processes: Processes, empty: bool, upstream: str) -> dict[str, Any]:
    _require_its_ports(instance, processes)
    print(f"Feedlane '{instance.name}' with {runtime()} on {architecture()}:", flush=True)
    was_running = _has_its_data(instance, processes)
    if not was_running:
        _stop(instance, processes)
        _start_parts(instance, processes)
    elif empty and instance.description.exists():
        print("  It is already running, with its data. For an empty system, run `make down` first.")
    if upstream == "codat" and instance.simulates_codat:
        codat.start(instance, processes)
    _deploy(instance)
    if not (processes.is_running(GATEWAY) and _answers(instance.api_url)):
        _start_gateway(instance, processes)
    with step("wait for the first function", "each is a process that loads its packages"):
        _await_functions(instance)
    description = _write_description(instance, empty)
    return _add_codat(instance, description, empty) if upstream == "codat" else description


def stop(instance: Instance) -> bool:
    """Returns whether anything was running."""
    was_running = _stop(instance, _processes(instance))
    (instance.folder / "ports.json").unlink(missing_ok=True)
    (instance.folder / "processes.json").unlink(missing_ok=True)
    return was_running


def status(instance: Instance) -> dict[str, bool]:
    processes = _processes(instance)
    parts = [name for name in reversed(NAMES) if name != codat.NAME or _has_codat(instance)]
    return {name: processes.is_running(name) for name in parts}


def _processes(instance: Instance) -> Processes:
    return Processes(instance.folder, instance.logs)


def _require_its_ports(instance: Instance, processes: Processes) -> None:
    """Raises `Failure` if the instance runs on other ports: starting it here would end it, and discard its data."""
    if not instance.description.exists() or not any(map(processes.is_running, NAMES)):
        return
    running = instance.read_description()
    wanted = {
        "FEEDLANE_AWS_PORT": (running["awsEndpointUrl"], instance.aws_url),
        "FEEDLANE_API_PORT": (running["apiUrl"], instance.api_url),
        "FEEDLANE_SIMULATOR_PORT": (running["simulatorUrl"], instance.simulator_url),
    }
    if "codatSimulatorUrl" in running:
        wanted["FEEDLANE_CODAT_PORT"] = (running["codatSimulatorUrl"], instance.codat_simulator_url)
    if any(there != here for there, here in wanted.values()):
        ports = " ".join(f"{name}={there.rpartition(':')[2]}" for name, (there, _) in wanted.items())
        raise Failure(
            f"'{instance.name}' is already running on other ports. Go on with it:\n  {ports}\n"
            "or stop it and discard its data with `make down`."
        )


def _has_its_data(instance: Instance, processes: Processes) -> bool:
    """MiniStack and the simulators each hold a part of the data: without any of them, everything starts anew."""
    parts = [ministack.NAME, SIMULATOR, *([codat.NAME] if _has_codat(instance) else [])]
    if not all(map(processes.is_running, parts)):
        return False
    is_ready = ministack.is_ready(instance) and _simulator_is_ready(instance)
    return is_ready and (codat.NAME not in parts or codat.is_ready(instance))


def _has_codat(instance: Instance) -> bool:
    """Whether the Codat simulator belongs to the system that was started last."""
    return instance.description.exists() and "codatSimulatorUrl" in instance.read_description()


def _start_parts(instance: Instance, processes: Processes) -> None:
    require_free(
        {
            instance.aws_port: "AWS (MiniStack)",
            instance.api_port: "the API",
            instance.simulator_port: "the Xero simulator",
        }
    )
    with step(f"start AWS (MiniStack) on port {instance.aws_port}"):
        ministack.start(instance, processes)
    with step(f"start the Xero simulator on port {instance.simulator_port}"):
        command = [sys.executable, "-m", "local.simulator", "--port", str(instance.simulator_port)]
        processes.start(SIMULATOR, command, dict(os.environ), ROOT)
        processes.wait(SIMULATOR, lambda: _simulator_is_ready(instance))


def _deploy(instance: Instance) -> None:
    with step("sam build", "the first one installs the functions' packages and compiles them") as notes:
        if not deployment.build(instance.logs / "build.log"):
            notes.append("unchanged")
    with step("sam deploy", "it creates the functions, queues, alarms and rights one by one") as notes:
        if not deployment.deploy(instance, instance.logs / "deploy.log"):
            notes.append("unchanged")


def _start_gateway(instance: Instance, processes: Processes) -> None:
    processes.stop(GATEWAY)
    require_free({instance.api_port: "the API"})
    with step(f"start the API and the portal on {instance.api_url}"):
        arguments = [
            "--port",
            str(instance.api_port),
            "--aws-url",
            instance.aws_url,
            "--api-id",
            instance.outputs()["ApiId"],
        ]
        processes.start(GATEWAY, [sys.executable, "-m", "local.gateway", *arguments], dict(os.environ), ROOT)
        processes.wait(GATEWAY, lambda: _answers(instance.api_url))


def _await_functions(instance: Instance) -> None:
    """Waits while the gateway reports an error: the route exists, but its function has not started."""
    deadline = time.monotonic() + 30
    while (answer := httpx.get(instance.api_url, timeout=35, trust_env=False)).status_code >= 500:
        if time.monotonic() > deadline:
            log = instance.logs / f"{ministack.NAME}.log"
            raise Failure(f"The API answered {answer.status_code}: {answer.text[:300]}\n{tail(log)}")
        time.sleep(0.3)


def _write_description(instance: Instance, empty: bool) -> dict[str, Any]:
    addresses = {
        "apiUrl": instance.api_url,
        "portalUrl": f"{instance.api_url}/portal",
        "transactionsQueueUrl": instance.outputs()["TransactionsQueueUrl"],
        "simulatorUrl": instance.simulator_url,
        "awsEndpointUrl": instance.aws_url,
        "awsRegion": REGION,
        "xeroApiUrl": instance.xero_api_url,
        "xeroIdentityUrl": instance.xero_identity_url,
        "stackName": STACK,
    }
    if instance.description.exists():
        description = instance.read_description() | addresses
    else:
        with step("create an API key" if empty else "create an API key and set up the integration"):
            description = addresses | bootstrap(instance, empty) | {"empty": empty}
    _store_description(instance, description)
    return description


def _add_codat(instance: Instance, description: dict[str, Any], empty: bool) -> dict[str, Any]:
    """Sets it up, once, unless the deployment is to stay empty."""
    if description.get("codatApiUrl") != instance.codat_api_url and not empty:
        with step("set up Codat as the upstream of connections to come"):
            set_up_codat(instance, description["apiKey"])
            choose_codat(instance, description["apiKey"])
    description["codatApiUrl"] = instance.codat_api_url
    if instance.simulates_codat:
        description["codatSimulatorUrl"] = instance.codat_simulator_url
    _store_description(instance, description)
    return description


def _store_description(instance: Instance, description: dict[str, Any]) -> None:
    with deferred():
        # The file has the API key: only this user may read it.
        instance.description.touch(mode=0o600)
        instance.description.write_text(json.dumps(description, indent=2) + "\n")


def _stop(instance: Instance, processes: Processes) -> bool:
    # First: only a whole system is described.
    instance.description.unlink(missing_ok=True)
    stopped = [processes.stop(name) for name in NAMES]
    (instance.folder / "deployed").unlink(missing_ok=True)
    shutil.rmtree(instance.folder / "tmp", ignore_errors=True)
    return any(stopped)


def _simulator_is_ready(instance: Instance) -> bool:
    return _answers(f"{instance.simulator_url}/_simulator/health")


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=35, trust_env=False)
    except httpx.HTTPError:
        return False
    return True
