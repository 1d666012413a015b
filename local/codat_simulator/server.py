"""Serving the simulator over real HTTP: in the foreground, or in a thread beside a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.codat_simulator.app import create_app
from local.codat_simulator.state import Codat
from local.simulator.server import app_in_thread, serve_app


@dataclass(frozen=True)
class RunningCodat:
    url: str
    state: Codat


def serve(host: str, port: int, sim: Codat | None = None) -> None:
    """Serve until interrupted."""
    serve_app(create_app(sim), host, port, lifespan="on")


@contextmanager
def serve_in_thread(sim: Codat | None = None) -> Iterator[RunningCodat]:
    """A real server on a free loopback port, for as long as the block lasts. It sends its webhooks by itself."""
    sim = sim or Codat()
    with app_in_thread(create_app(sim), lifespan="on") as url:
        yield RunningCodat(url, sim)
