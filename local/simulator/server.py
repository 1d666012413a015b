"""Serving the simulator over real HTTP: in the foreground, or in a thread beside a test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from local.simulator.app import create_app
from local.simulator.state import Simulator


@dataclass(frozen=True)
class RunningSimulator:
    url: str
    state: Simulator


def serve(host: str, port: int, sim: Simulator | None = None) -> None:
    """Serve until interrupted."""
    _server(sim or Simulator(), host, port).run()


@contextmanager
def serve_in_thread(sim: Simulator | None = None) -> Iterator[RunningSimulator]:
    """A real server on a free loopback port, for as long as the block lasts."""
    sim = sim or Simulator()
    # asyncio disables Nagle's algorithm only for sockets created with IPPROTO_TCP; otherwise each answer takes 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = _server(sim, "127.0.0.1", port)
        started = threading.Event()
        thread = threading.Thread(target=_run, args=(server, listener, started), daemon=True)
        thread.start()
        if not started.wait(timeout=20):
            raise RuntimeError("the simulator did not start")
        try:
            yield RunningSimulator(f"http://127.0.0.1:{port}", sim)
        finally:
            server.should_exit = True
            thread.join(timeout=20)


class _Server(uvicorn.Server):
    """Sets an event once it listens."""

    started_event: threading.Event | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started_event is not None:
            self.started_event.set()


def _server(sim: Simulator, host: str, port: int) -> _Server:
    # h11 and asyncio are fixed: dropping an answer needs uvicorn's connection object of that combination.
    config = uvicorn.Config(
        create_app(sim),
        host,
        port,
        loop="asyncio",
        http="h11",
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    return _Server(config)


def _run(server: _Server, listener: socket.socket, started: threading.Event) -> None:
    server.started_event = started
    server.run(sockets=[listener])
