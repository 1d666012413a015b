"""The platform's webhook endpoint: keeps every event whose signature the `svix` library accepts."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from svix.webhooks import Webhook, WebhookVerificationError


class Receiver:
    """Listens on a free local port. `secret` is set once the consumer is created."""

    def __init__(self) -> None:
        self.secret = ""
        self.consumer_id = ""
        self.events: list[dict[str, Any]] = []
        self.refused = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                self.send_response(receiver.receive(body, dict(self.headers)))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Logs nothing: the demo reports what arrives."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hooks"

    def receive(self, body: bytes, headers: dict[str, str]) -> int:
        """200 for a signed event, kept once however often it arrives; 401 for anything else."""
        try:
            Webhook(self.secret).verify(body, {name.lower(): value for name, value in headers.items()})
        except WebhookVerificationError:
            self.refused += 1
            return 401
        event = json.loads(body)
        if event["id"] not in {known["id"] for known in self.events}:
            self.events.append(event)
        return 200

    def of_type(self, type: str, company_id: str = "") -> list[dict[str, Any]]:
        """The events of one type in order of arrival, optionally of one company."""
        events = [event for event in self.events if event["eventType"] == type]
        return [event for event in events if company_id in ("", event["payload"].get("companyId"))]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
