"""The whole system on one machine: start it, stop it, say how it is."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from typing import Any

import httpx

from local import deployment, ministack
from local.bootstrap import bootstrap
from local.instance import REGION, ROOT, STACK, Instance, architecture, runtime
from local.ports import require_free
from local.processes import Processes
from local.progress import Failure, step, tail

SIMULATOR = "simulator"
GATEWAY = "gateway"
# The gateway first, so that nobody is served by half a system.
NAMES = (GATEWAY, SIMULATOR, ministack.NAME)


def start(instance: Instance, empty: bool = False) -> dict[str, Any]:
    """Leaves the system running and answers its description. What runs already is left as it is.

    Raises
    ------
    Failure
        With what failed and where its log is. What was started keeps running, for a look at it.
    """
    processes = _processes(instance)
    print(f"Feedlane '{instance.name}' with {runtime()} on {architecture()}:", flush=True)
    was_running = _is_whole(instance, processes)
    if not was_running:
        _stop(instance, processes)
        _start_parts(instance, processes)
    elif empty and instance.description.exists():
        print("  It runs already, with the data it has; `make down` first for an empty one.")
    _deploy(instance)
    if not (processes.is_running(GATEWAY) and _answers(instance.api_url)):
        _start_gateway(instance, processes)
    _await_functions(instance)
    return _describe(instance, empty)


def stop(instance: Instance) -> bool:
    """Answers whether anything was running."""
    was_running = _stop(instance, _processes(instance))
    (instance.folder / "ports.json").unlink(missing_ok=True)
    return was_running


def status(instance: Instance) -> dict[str, bool]:
    processes = _processes(instance)
    return {name: processes.is_running(name) for name in reversed(NAMES)}


def _processes(instance: Instance) -> Processes:
    return Processes(instance.folder, instance.logs)


def _is_whole(instance: Instance, processes: Processes) -> bool:
    """Without MiniStack the data is gone, without the simulator the other half of it: then all starts anew."""
    parts = (ministack.NAME, SIMULATOR)
    return all(map(processes.is_running, parts)) and ministack.is_ready(instance) and _simulator_is_ready(instance)


def _start_parts(instance: Instance, processes: Processes) -> None:
    require_free(
        {
            instance.aws_port: "AWS (MiniStack)",
            instance.api_port: "the API",
            instance.simulator_port: "the Xero simulator",
        }
    )
    with step(f"AWS (MiniStack) on port {instance.aws_port}"):
        ministack.start(instance, processes)
    with step(f"Xero simulator on port {instance.simulator_port}"):
        command = [sys.executable, "-m", "local.simulator", "--port", str(instance.simulator_port)]
        processes.start(SIMULATOR, command, dict(os.environ), ROOT)
        processes.wait(SIMULATOR, lambda: _simulator_is_ready(instance))


def _deploy(instance: Instance) -> None:
    with step("sam build") as notes:
        if not deployment.build(instance.logs / "build.log"):
            notes.append("unchanged")
    with step("sam deploy") as notes:
        if not deployment.deploy(instance, instance.logs / "deploy.log"):
            notes.append("unchanged")


def _start_gateway(instance: Instance, processes: Processes) -> None:
    processes.stop(GATEWAY)
    require_free({instance.api_port: "the API"})
    with step(f"API and portal on {instance.api_url}"):
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
    """A gateway error means that the route is there but its function does not start."""
    deadline = time.monotonic() + 30
    while (answer := httpx.get(instance.api_url, timeout=35, trust_env=False)).status_code >= 500:
        if time.monotonic() > deadline:
            log = instance.logs / f"{ministack.NAME}.log"
            raise Failure(f"The API answers {answer.status_code}: {answer.text[:300]}\n{tail(log)}")
        time.sleep(0.3)


def _describe(instance: Instance, empty: bool) -> dict[str, Any]:
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
        described = instance.described() | addresses
    else:
        with step("an API key" if empty else "an API key, and the integration set up and enabled"):
            described = addresses | bootstrap(instance, empty)
    # Holds the API key: for this user's eyes only.
    instance.description.touch(mode=0o600)
    instance.description.write_text(json.dumps(described, indent=2) + "\n")
    return described


def _stop(instance: Instance, processes: Processes) -> bool:
    stopped = [processes.stop(name) for name in NAMES]
    instance.description.unlink(missing_ok=True)
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
