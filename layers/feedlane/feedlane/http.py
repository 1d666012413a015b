"""HTTP to an upstream: one client per base URL. Its errors say whether the upstream can have received the request."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import httpx

from feedlane.errors import NotSent, TimedOut, Unanswered
from feedlane.tls import client_context

CONNECT_TIMEOUT_SECONDS = 3.0
READ_TIMEOUT_SECONDS = 12.0

# httpcore tells "no connection was made" from "the connection broke" by these.
_NOT_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

# One log line per request is noise beside our own, and at DEBUG the lines show headers.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Http:
    """No redirects, no proxies from the environment, no retries: the caller decides what may be sent again."""

    def __init__(
        self,
        base_url: str,
        *,
        read_seconds: float = READ_TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._client = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(read_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            verify=client_context(),
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            # In a frozen Lambda environment, idle connections die unnoticed: keep them only for a burst of calls.
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=5, keepalive_expiry=5.0),
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Any answer that came, whatever its status. Raises `NotSent`, `TimedOut`, `Unanswered`."""
        try:
            return self._client.request(method, path, headers=headers, params=params, content=content)
        except _NOT_SENT_ERRORS as error:
            # `from None` here and below: httpx keeps the request, with its credentials, in the exception.
            raise NotSent(type(error).__name__) from None
        except httpx.TimeoutException as error:
            raise TimedOut(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise Unanswered(type(error).__name__) from None

    def close(self) -> None:
        self._client.close()
