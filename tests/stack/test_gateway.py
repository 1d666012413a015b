"""The local address of the API: what a client sends reaches the API byte for byte, and back."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn

from local.gateway import gateway


@dataclass
class Upstream:
    """Stands in for MiniStack: keeps what arrives as it arrived, and answers as told."""

    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    received: bytes = b""
    port: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    async def serve(self) -> None:
        server = await asyncio.start_server(self._one, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.done.set()
        await server.serve_forever()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        self.received = head + await reader.readexactly(length)
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@pytest.fixture
def upstream() -> Upstream:
    served = Upstream()
    threading.Thread(target=lambda: asyncio.run(served.serve()), daemon=True).start()
    assert served.done.wait(5)
    return served


@pytest.fixture
def port(upstream: Upstream) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    app = gateway(f"http://127.0.0.1:{upstream.port}", "api1")
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False, date_header=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(5)


def ask(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize(
    "target",
    [
        b"/companies/a%2Fb/c%20d?query=id%3D1%2F2&x=a+b&x=%e2%82%ac",
        b"/a%252Fb//c/./d/../e;p?",
        b"/%41~!$&'()*,=:@?a=[]|",
    ],
)
def test_path_and_query_pass_byte_for_byte(upstream: Upstream, port: int, target: bytes) -> None:
    ask(port, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert upstream.received.split(b" ")[1] == target.removesuffix(b"?")


def test_headers_and_body_pass_and_the_host_names_the_api(upstream: Upstream, port: int) -> None:
    ask(
        port,
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Basic abc\r\n"
        b"Cookie: a=1; b=2\r\nContent-Length: 3\r\n\r\n\x00\xff\x01",
    )

    head, _, body = upstream.received.partition(b"\r\n\r\n")
    assert body == b"\x00\xff\x01"
    assert f"host: api1.execute-api.localhost:{upstream.port}".encode() in head.lower()
    assert b"authorization: basic abc" in head.lower()
    assert b"cookie: a=1; b=2" in head.lower()


def test_redirects_and_every_cookie_come_back_untouched(upstream: Upstream, port: int) -> None:
    upstream.answer = (
        b"HTTP/1.1 302 Found\r\nlocation: https://elsewhere.test/%2Fa?b=%20c\r\n"
        b"set-cookie: a=1; Path=/\r\nset-cookie: b=2; HttpOnly\r\ncontent-length: 0\r\n\r\n"
    )

    answer = ask(port, b"GET /link HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 302 ")
    assert b"location: https://elsewhere.test/%2Fa?b=%20c\r\n" in answer
    assert b"set-cookie: a=1; Path=/\r\n" in answer
    assert b"set-cookie: b=2; HttpOnly\r\n" in answer


def test_without_ministack_the_answer_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = asyncio.run(_ask_in_process(f"http://127.0.0.1:{unused.getsockname()[1]}"))

    assert answer.status_code == 502
    assert "MiniStack cannot be reached" in answer.text


async def _ask_in_process(aws_url: str) -> httpx.Response:
    transport = httpx.ASGITransport(gateway(aws_url, "api1"))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get("/")
