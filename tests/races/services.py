"""The services behind the races, as processes: MiniStack with Secrets Manager and DynamoDB, and the simulator."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx

from local import ministack
from local.instance import ROOT, Instance
from local.ports import free_ports
from local.processes import Processes
from tests.dynamodb import create_table

PORTS = (4596, 8483, 8493, 8503)
SIMULATOR = "simulator"
TABLE = "races"
PREFIX = "races"


class Services(NamedTuple):
    aws_url: str
    xero_url: str


@contextmanager
def started() -> Iterator[Services]:
    """Starts the services and stops them at the end. After a failure the logs stay in the build folder."""
    instance = Instance(f"races-{os.getpid()}", *free_ports(PORTS))
    processes = Processes(instance.folder, instance.logs)
    try:
        ministack.start(instance, processes)
        command = [sys.executable, "-m", "local.simulator", "--port", str(instance.simulator_port)]
        processes.start(SIMULATOR, command, dict(os.environ), ROOT)
        processes.wait(SIMULATOR, lambda: _answers(f"{instance.simulator_url}/_simulator/health"))
        create_table(instance.client("dynamodb"), TABLE)
        yield Services(instance.aws_url, instance.simulator_url)
    finally:
        for name in (SIMULATOR, ministack.NAME):
            processes.stop(name)
        shutil.rmtree(instance.folder / "tmp", ignore_errors=True)
    shutil.rmtree(instance.folder)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
