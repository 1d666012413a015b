from collections.abc import Iterator

import httpx
import pytest

from local.simulator.clock import Clock
from local.simulator.server import RunningSimulator, serve_in_thread
from local.simulator.state import Simulator
from tests.contract.simulator.driver import NOON, Xero


@pytest.fixture(scope="session")
def simulator() -> Iterator[RunningSimulator]:
    """One real server for all these tests; its time stands still unless a test advances it."""
    with serve_in_thread(Simulator(Clock(lambda: NOON))) as running:
        yield running


@pytest.fixture
def xero(simulator: RunningSimulator) -> Iterator[Xero]:
    with httpx.Client(base_url=simulator.url, trust_env=False, verify=False) as http:
        driver = Xero(simulator.url, simulator.state, http)
        driver.control("POST", "reset")
        yield driver
