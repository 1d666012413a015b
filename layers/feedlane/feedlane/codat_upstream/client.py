"""HTTP to Codat: with the API key, and every request counted."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from feedlane.clock import Clock, system_clock
from feedlane.codat_upstream.answers import wait_asked
from feedlane.feeds.call_limits import NO_LIMITS, CallLimits
from feedlane.http import READ_TIMEOUT_SECONDS, Http

# The key to call with. It is given the key that Codat has just refused, to look for a newer one.
ApiKey = Callable[[str | None], str]


class CodatClient:
    """Calls with the key of the moment. Nothing is retried but a 401, for which there may be a newer key."""

    def __init__(
        self,
        base_url: str,
        api_key: ApiKey,
        clock: Clock = system_clock,
        limits: CallLimits = NO_LIMITS,
        *,
        read_seconds: float = READ_TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._api_key = api_key
        self._clock = clock
        self._limits = limits
        self._http = Http(base_url, read_seconds=read_seconds, transport=transport)

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
            answer = self._http.send(method, path, headers=authorized, params=params, content=content)
        asked = wait_asked(answer, self._clock())
        if asked is not None:
            self._limits.wait(company_id or None, *asked)
        return answer

    def close(self) -> None:
        self._http.close()
