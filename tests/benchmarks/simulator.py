"""The real Xero client against the real simulator, in one process and on the same simulated clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import httpx

from feedlane.credentials.token_set import AccessToken
from feedlane.http import Http
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.tokens import TokenCache
from local.simulator import grants
from local.simulator.app import create_app
from local.simulator.clock import Clock
from local.simulator.organisations import new_organisation
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_USER_ID, Connection, FeedConnection, Simulator

TOKEN = "benchmark"


class InProcess(httpx.BaseTransport):
    """Requests reach the simulator's application without a network."""

    def __init__(self, simulator: Simulator) -> None:
        self._transport = httpx.ASGITransport(create_app(simulator))
        self._runner = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)

    def close(self) -> None:
        self._runner.close()


class Vault:
    """Returns the only token."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        assert rejected is None
        return AccessToken(value=TOKEN, expires_at=self._clock() + timedelta(minutes=30))


def upstream(simulator: Simulator, clock: Callable[[], datetime]) -> XeroBankFeeds:
    http = Http("https://api.xero.com", transport=InProcess(simulator))
    return XeroBankFeeds(XeroApi(http, TokenCache(Vault(clock), clock), clock))  # type: ignore[arg-type]


def linked(clock: Callable[[], datetime], feeds: dict[str, Sequence[str]]) -> Simulator:
    """A simulator with these tenants and their active feed connections, under Xero's limits."""
    simulator = Simulator(Clock(clock))
    now, user = clock(), simulator.user(DEFAULT_USER_ID)
    simulator.access_tokens[TOKEN] = grants.AccessToken(
        TOKEN, DEFAULT_CLIENT_ID, user, ("bankfeeds",), now + timedelta(days=9)
    )
    for tenant_id, feed_connections in feeds.items():
        organisation = new_organisation("Harbour Bakery", "GB", "GBP", tenant_id=tenant_id)
        simulator.organisations[tenant_id] = organisation
        simulator.connections.append(
            Connection(f"c-{tenant_id}", DEFAULT_CLIENT_ID, user.user_id, tenant_id, "event", now, now)
        )
        for id in feed_connections:
            simulator.feed_connections[id] = FeedConnection(
                id, DEFAULT_CLIENT_ID, tenant_id, id, "BANK", id, "20011234", "Current", "GBP", "GB", now
            )
    return simulator
