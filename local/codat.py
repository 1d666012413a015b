"""The Codat simulator as a process of the local system, for connections whose upstream is Codat."""

from __future__ import annotations

import os
import sys

import httpx

from local.instance import ROOT, Instance
from local.ports import require_free
from local.processes import Processes
from local.progress import step

NAME = "codat-simulator"
# The names in braces are Codat's, but for `feedlaneState`, which Feedlane adds to each link.
REDIRECT_QUERY = (
    "state={feedlaneState}&statusCode={statusCode}&companyId={companyId}&connectionId={connectionId}"
    "&errorMessage={errorMessage}"
)


def start(instance: Instance, processes: Processes) -> None:
    """Starts the simulator, unless it is running. Customers go back from its Link as docs/codat-upstream.md says."""
    if processes.is_running(NAME) and is_ready(instance):
        return
    processes.stop(NAME)
    require_free({instance.codat_port: "the Codat simulator"})
    with step(f"start the Codat simulator on port {instance.codat_port}"):
        template = f"{instance.api_url}/oauth/callback?{REDIRECT_QUERY}"
        arguments = ["--port", str(instance.codat_port), "--redirect-url", template]
        processes.start(NAME, [sys.executable, "-m", "local.codat_simulator", *arguments], dict(os.environ), ROOT)
        processes.wait(NAME, lambda: is_ready(instance))


def is_ready(instance: Instance) -> bool:
    try:
        return httpx.get(f"{instance.codat_simulator_url}/_simulator/health", timeout=35, trust_env=False).is_success
    except httpx.HTTPError:
        return False
