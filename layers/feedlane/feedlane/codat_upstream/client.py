"""HTTP to Codat: one client per base URL, which knows the API key and counts every request."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Protocol

import httpx

from feedlane.clock import Clock, system_clock
from feedlane.codat_upstream.answers import wait_asked
from feedlane.scope import Scope
from feedlane.tls import client_context

CONNECT_TIMEOUT_SECONDS = 3.0
READ_TIMEOUT_SECONDS = 12.0
_NOT_SENT_ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

# The key to call with. It is given the key that Codat has just refused, to look for a newer one.
ApiKey = Callable[[str | None], str]

# One log line per request is noise beside our own, and at DEBUG the lines show headers.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class NotSent(Exception):
    """No connection was made: Codat has not received the request."""


class Unanswered(Exception):
    """The request was sent and no complete answer came back: what Codat did with it is unknown."""


class CallLimits(Protocol):
    """Who lets calls to Codat go: its limits are those of all function instances together."""

    def call(self, tenant_id: str | None) -> AbstractContextManager[None]:
        """Counts one request for a company at Codat. Raises `LimitReached` if it may not go now."""

    def wait(self, tenant_id: str | None, scope: Scope, seconds: int) -> None:
        """Codat asked us to wait so long. All instances keep to it."""


class NoLimits:
    """Lets every call go: for tests and tools that are alone with Codat."""

    def call(self, tenant_id: str | None) -> AbstractContextManager[None]:
        return nullcontext()

    def wait(self, tenant_id: str | None, scope: Scope, seconds: int) -> None:
        """Nobody else calls."""


class CodatClient:
    """No redirects, no proxies from the environment, no retries: the caller decides what may be sent again."""

    def __init__(
        self,
        base_url: str,
        api_key: ApiKey,
        clock: Clock = system_clock,
        limits: CallLimits | None = None,
        *,
        read_seconds: float = READ_TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._api_key = api_key
        self._clock = clock
        self._limits = limits or NoLimits()
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(read_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            verify=client_context(),
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            # In a frozen Lambda environment, idle connections die unnoticed: keep them only for a burst of calls.
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=5, keepalive_expiry=5.0),
        )

    def now(self) -> datetime:
        return self._clock()

    def call(
        self,
        company_id: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        idempotency_key: str | None = None,
    ) -> httpx.Response:
        """Any answer that Codat gave, whatever its status. A 401 is repeated once, if there is another key.

        Raises `NotSent`, `Unanswered`, `LimitReached` (nothing was sent), and what the callable for the key raises.
        """
        headers = {"Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        key = self._api_key(None)
        answer = self._send(company_id, key, method, path, headers, params, content)
        if answer.status_code == 401:
            # Codat refuses a key before anything is done: the same request may be sent again at once.
            newer = self._api_key(key)
            if newer != key:
                answer = self._send(company_id, newer, method, path, headers, params, content)
        return answer

    def _send(
        self,
        company_id: str,
        key: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        content: bytes | None,
    ) -> httpx.Response:
        # The key alone, without the colon that Basic authentication has after a user's name.
        authorized = {**headers, "Authorization": "Basic " + base64.b64encode(key.encode()).decode()}
        with self._limits.call(company_id or None):
            try:
                answer = self._http.request(method, path, headers=authorized, params=params, content=content)
            except _NOT_SENT_ERRORS as error:
                # `from None` here and below: httpx keeps the request, with its key, in the exception.
                raise NotSent(type(error).__name__) from None
            except httpx.HTTPError as error:
                raise Unanswered(type(error).__name__) from None
        asked = wait_asked(answer, self._clock())
        if asked is not None:
            self._limits.wait(company_id or None, *asked)
        return answer

    def close(self) -> None:
        self._http.close()
