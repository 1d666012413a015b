"""Serving the simulator over real HTTP: in the foreground, or in a thread beside a test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from local.simulator.app import create_app
from local.simulator.state import Simulator

# Whether the application has work of its own beside its answers.
Lifespan = Literal["on", "off"]


@dataclass(frozen=True)
class RunningSimulator:
    url: str
    state: Simulator


def serve(host: str, port: int, sim: Simulator | None = None) -> None:
    """Serve until interrupted."""
    serve_app(create_app(sim or Simulator()), host, port)


@contextmanager
def serve_in_thread(sim: Simulator | None = None) -> Iterator[RunningSimulator]:
    """A real server on a free loopback port, for as long as the block lasts."""
    sim = sim or Simulator()
    with app_in_thread(create_app(sim)) as url:
        yield RunningSimulator(url, sim)


def serve_app(app: ASGIApp, host: str, port: int, lifespan: Lifespan = "off") -> None:
    """Serve any simulator's application until interrupted."""
    _server(app, host, port, lifespan).run()


@contextmanager
def app_in_thread(app: ASGIApp, lifespan: Lifespan = "off") -> Iterator[str]:
    """The address of a server of any simulator's application, on a free loopback port."""
    # asyncio disables Nagle's algorithm only for sockets created with IPPROTO_TCP; otherwise each answer takes 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = _server(app, "127.0.0.1", port, lifespan)
        started = threading.Event()
        thread = threading.Thread(target=_run, args=(server, listener, started), daemon=True)
        thread.start()
        if not started.wait(timeout=20):
            raise RuntimeError("the simulator did not start")
        try:
            yield f"http://127.0.0.1:{port}"
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


def _server(app: ASGIApp, host: str, port: int, lifespan: Lifespan) -> _Server:
    # h11 and asyncio are fixed: dropping an answer needs uvicorn's connection object of that combination.
    config = uvicorn.Config(
        app,
        host,
        port,
        loop="asyncio",
        http="h11",
        log_level="warning",
        access_log=False,
        lifespan=lifespan,
        timeout_graceful_shutdown=2,
    )
    return _Server(config)


def _run(server: _Server, listener: socket.socket, started: threading.Event) -> None:
    server.started_event = started
    server.run(sockets=[listener])
