"""A real HTTP server that receives webhooks and misbehaves as a test requires."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from threading import Event, Thread
from typing import Any


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """The path of a URL chooses the behaviour: `/status/503`, `/hang`, `/drip-headers`, `/drip-body`, …"""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Behaviour)
        self.received: list[Received] = []
        self.stopped = Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str = "/status/204") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def running() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stopped.set()
        receiver.shutdown()
        receiver.server_close()
        thread.join()


class Behaviour(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Received(self.path, headers, content))
        kind, _, argument = self.path.split("?")[0].strip("/").partition("/")
        getattr(self, f"_{kind.replace('-', '_')}")(argument)

    def _status(self, status: str) -> None:
        self._answer(int(status), f"said {status}".encode() if status != "204" else b"")

    def _redirect(self, argument: str) -> None:
        self._answer(302, b"", location=self.server.url())

    def _retry_after(self, value: str) -> None:
        self._answer(429, b"", **{"retry-after": value})

    def _large(self, argument: str) -> None:
        self._answer(500, b"x" * 5_000_000)

    def _endless(self, argument: str) -> None:
        self._drip([b"HTTP/1.1 500 Oh\r\ncontent-length: 999999999\r\n\r\n", *[b"x" * 1000] * 200])

    def _not_text(self, argument: str) -> None:
        self._answer(500, bytes(range(256)))

    def _hang(self, argument: str) -> None:
        self.server.stopped.wait(5)

    def _break(self, argument: str) -> None:
        self.connection.shutdown(SHUT_RDWR)
        self.close_connection = True

    def _garbage(self, argument: str) -> None:
        self.wfile.write(b"This is not HTTP\r\n\r\n")
        self.close_connection = True

    def _drip_headers(self, argument: str) -> None:
        self._drip([b"HTTP/1.1 204 No Content\r\n", *[b"x"] * 200])

    def _continues(self, argument: str) -> None:
        self._drip([b"HTTP/1.1 100 Continue\r\n\r\n"] * 200)

    def _drip_body(self, argument: str) -> None:
        self._drip([b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nfirst", *[b"."] * 200])

    def _drip(self, pieces: list[bytes]) -> None:
        """Sends the pieces one by one, so that no single wait is long."""
        self.close_connection = True
        try:
            for piece in pieces:
                if self.server.stopped.is_set():
                    return
                self.wfile.write(piece)
                time.sleep(0.05)
        except OSError:
            return

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        try:
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True

    def log_message(self, *parts: Any) -> None:
        pass
