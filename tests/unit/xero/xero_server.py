"""Xero as a function from request to response, and the client on top of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from feedlane.credentials.token_set import AccessToken
from feedlane.feeds.upstream import TenantAccess
from feedlane.http import Http
from feedlane.ids import fingerprint
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.tokens import TokenCache

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
ACCESS = TenantAccess(tenant_id="tenant-1", token_set_id="tokens-1")
Server = Callable[[httpx.Request], httpx.Response]


class TokenVault:
    """Issues token-1, token-2, …: the next one each time the last is rejected."""

    def __init__(self, error: Exception | None = None, scopes: tuple[str, ...] = ()) -> None:
        self.scopes = scopes
        self.asked: list[str | None] = []
        self.number = 1
        self.error = error

    def access_token(self, token_set_id: str, rejected: str | None = None) -> AccessToken:
        assert token_set_id == ACCESS.token_set_id
        self.asked.append(rejected)
        if self.error:
            raise self.error
        if rejected == fingerprint(f"token-{self.number}"):
            self.number += 1
        expires_at = NOON + timedelta(minutes=30)
        return AccessToken(value=f"token-{self.number}", expires_at=expires_at, scopes=self.scopes)


def api(server: Server, vault: Any = None) -> XeroApi:
    http = Http("https://api.xero.test", transport=httpx.MockTransport(server))
    return XeroApi(http, TokenCache(vault or TokenVault(), lambda: NOON), lambda: NOON)


def bank_feeds(server: Server, vault: Any = None) -> XeroBankFeeds:
    return XeroBankFeeds(api(server, vault), lambda: "key-1")


def always(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Server:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _: httpx.Response(status, content=content, headers=headers)


def fails(error: type[httpx.TransportError]) -> Server:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error("canary")

    return fail
