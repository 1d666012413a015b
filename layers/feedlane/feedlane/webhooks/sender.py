"""Sends a webhook over HTTP: one POST to a checked address, within fifteen seconds, without redirects.

Uses httpcore, the engine of httpx, because its network backend can be replaced: the address that is checked is the one
that is connected to, and the deadline covers the whole exchange.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from time import monotonic
from typing import Any

import httpcore

from feedlane.clock import Clock
from feedlane.errors import Invalid
from feedlane.retry_after import consumer_retry_after
from feedlane.tls import client_context
from feedlane.webhooks.delivery import Answer
from feedlane.webhooks.target_urls import Resolve, check_url_form, is_allowed, resolve_host

EXCHANGE_TIMEOUT_SECONDS = 15.0
CONNECT_TIMEOUT_SECONDS = 5.0
ADDRESSES_TRIED_MAX = 3
EXCERPT_BYTES_MAX = 2000
OWN_HEADERS = {
    "content-type": "application/json",
    "user-agent": "Feedlane-Webhooks/1.0",
    "accept-encoding": "identity",
}


class Blocked(httpcore.ConnectError):
    """Webhooks must not go to any address of the host."""


class Unresolved(httpcore.ConnectError):
    """The host has no address."""


class TlsFailed(httpcore.ConnectError):
    """The host has no valid certificate for its name, or does not speak TLS."""


class WebhookSender:
    """`targets` is "public" or "any". Safe to share between threads. Connections are reused within a burst."""

    def __init__(
        self,
        targets: str,
        clock: Clock,
        *,
        resolve: Resolve = resolve_host,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = EXCHANGE_TIMEOUT_SECONDS,
    ) -> None:
        self._targets = targets
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._deadline = _Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls or client_context(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_CheckedNetwork(targets, resolve, self._deadline),
        )

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The outcome, never an exception. A redirect is an answer like any other and is not followed."""
        started = self._deadline.start(self._timeout_seconds)
        answer = self._exchange(url, headers, body)
        return answer.but(duration_ms=round((monotonic() - started) * 1000))

    def _exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        # The deadline covers every wait on the network; this time-out covers the wait for the pool.
        extensions = {"timeout": {"pool": self._timeout_seconds}}
        all_headers = [*OWN_HEADERS.items(), *headers.items()]
        try:
            check_url_form(url, self._targets)
            with self._pool.stream("POST", url, headers=all_headers, content=body, extensions=extensions) as response:
                return _answer(response, self._clock())
        except Invalid:
            return Answer(error="blocked")
        except httpcore.TimeoutException:
            return Answer(error="timeout")
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            return Answer(error=_error_kind(error))

    def close(self) -> None:
        self._pool.close()


class _Deadline(threading.local):
    """When this thread's exchange must be over: a receiver cannot prolong it by sending a byte now and then."""

    ends_at = 0.0

    def start(self, seconds: float) -> float:
        now = monotonic()
        self.ends_at = now + seconds
        return now

    def seconds_left(self, error: Callable[[], Exception], limit: float | None = None) -> float:
        """The seconds until the deadline, up to `limit`. Raises `error` once it has passed."""
        seconds = self.ends_at - monotonic()
        if seconds <= 0:
            raise error()
        return seconds if limit is None else min(seconds, limit)


class _CheckedNetwork(httpcore.NetworkBackend):
    """Resolves a host once and connects only to its allowed addresses. The Host header and SNI keep the name."""

    def __init__(self, targets: str, resolve: Resolve, deadline: _Deadline) -> None:
        self._targets = targets
        self._resolve = resolve
        self._deadline = deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._resolve(host.strip("[]"), port)
        except OSError as error:
            raise Unresolved(str(error)) from None
        allowed = [address for address in addresses if is_allowed(address, self._targets)]
        if not allowed:
            raise Blocked(host)
        *others, last = allowed[:ADDRESSES_TRIED_MAX]
        for address in others:
            try:
                return self._connect(address, port)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(last, port)

    def _connect(self, address: str, port: int) -> httpcore.NetworkStream:
        timeout = self._deadline.seconds_left(httpcore.ConnectTimeout, CONNECT_TIMEOUT_SECONDS)
        return _TimedStream(self._network.connect_tcp(address, port, timeout=timeout), self._deadline)


class _TimedStream(httpcore.NetworkStream):
    """A stream on which no wait outlasts the deadline. Time-outs of the caller are ignored."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.seconds_left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.seconds_left(httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        tls_timeout = self._deadline.seconds_left(httpcore.ConnectTimeout, CONNECT_TIMEOUT_SECONDS)
        try:
            tls_stream = self._stream.start_tls(ssl_context, server_hostname, tls_timeout)
        except httpcore.ConnectError as error:
            raise TlsFailed(str(error)) from None
        return _TimedStream(tls_stream, self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _answer(response: httpcore.Response, now: datetime) -> Answer:
    """The status counts, even if the body breaks off. Only the beginning of the body is read."""
    headers = {name.lower(): value for name, value in response.headers}
    content = b""
    try:
        for chunk in response.iter_stream():
            content += chunk
            if len(content) >= EXCERPT_BYTES_MAX:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    retry_after = headers.get(b"retry-after", b"").decode("latin-1")
    return Answer(
        status=response.status,
        excerpt=content[:EXCERPT_BYTES_MAX].decode(errors="replace"),
        retry_after=consumer_retry_after(retry_after, now),
    )


def _error_kind(error: Exception) -> str:
    match error:
        case Blocked():
            return "blocked"
        case Unresolved():
            return "dns"
        case httpcore.ProtocolError():
            return "protocol"
        case TlsFailed():
            return "tls"
        case _:
            return "connection"
