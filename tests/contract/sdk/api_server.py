"""The real handler behind a small HTTP server, so that the official SDKs can call it unmodified."""

from __future__ import annotations

import base64
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.worlds.api import CONTEXT, KEY

# As in Lambda, the function imports from its own folder.
sys.path.insert(0, str(Path(__file__).parents[3] / "functions" / "public_api"))

from functions.public_api import app
from tests.rights import acting_as

# Every call of the API in a test needs the rights of the function's role.
handler = acting_as("public_api")(app.handler)
AUTHORIZATION = "Basic " + base64.b64encode(KEY.encode()).decode()


class ApiServer:
    """An HTTP API like that of API Gateway. While there are `answers` (status, body), they replace the handler's.

    The next `lost_answers` answers are lost. `decodes_paths`: paths reach the handler percent-decoded.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.lost_answers = 0
        self.decodes_paths = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                server.handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = handle_any  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.calls.append((request.command, request.path))
        if self.answers:
            status, content = self.answers.pop(0)
            return self._answer(request, status, {"Content-Type": "application/json"}, content)
        path = unquote(url.path) if self.decodes_paths else url.path
        event = http_event(request.command, path, url.query, dict(request.headers.items()), body)
        answer = handler(event, CONTEXT)
        if self.lost_answers:
            self.lost_answers -= 1
            request.connection.close()
            return None
        return self._answer(request, answer["statusCode"], answer["headers"], answer["body"].encode())

    def _answer(self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def http_event(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """The event, version 2.0, that API Gateway sends for a request."""
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in headers.items()},
        "queryStringParameters": {unquote(name): unquote(value.replace("+", " ")) for name, _, value in pairs},
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default", "requestId": "r"},
        "body": body.decode() if body else None,
        "isBase64Encoded": False,
    }
