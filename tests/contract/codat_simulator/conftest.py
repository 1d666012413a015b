from collections.abc import Iterator

import httpx
import pytest

from local.codat_simulator.server import RunningCodat, serve_in_thread
from local.codat_simulator.state import Codat
from local.simulator.clock import Clock
from tests.contract.codat_simulator.driver import NOON, Driver


@pytest.fixture(scope="session")
def running_codat() -> Iterator[RunningCodat]:
    """One real server for all these tests; its time stands still unless a test advances it."""
    with serve_in_thread(Codat(Clock(lambda: NOON))) as running:
        yield running


@pytest.fixture
def codat(running_codat: RunningCodat) -> Iterator[Driver]:
    with httpx.Client(base_url=running_codat.url, trust_env=False, follow_redirects=False) as http:
        driver = Driver(running_codat.url, running_codat.state, http)
        driver.control("POST", "reset")
        yield driver
