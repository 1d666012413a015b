"""The whole client and the vault against the simulator, over real HTTP; time stands still unless a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from feedlane.credentials.vault import Grant
from feedlane.feeds.upstream import TenantAccess
from feedlane.http import Http
from feedlane.vault.service import VaultService
from feedlane.xero.accounting import Accounting
from feedlane.xero.api import XeroApi
from feedlane.xero.bank_feeds import XeroBankFeeds
from feedlane.xero.connections import XeroConnections
from feedlane.xero.feed_connections import FEED_CONNECTIONS_PATH
from feedlane.xero.feed_connections_2 import FEED_CONNECTIONS_2_PATH
from feedlane.xero.identity import Identity, authorize_url
from feedlane.xero.tokens import TokenCache
from local.simulator.clock import Clock
from local.simulator.organisations import fixed_id
from local.simulator.server import RunningSimulator, serve_in_thread
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Simulator
from tests.contract.simulator.driver import NOON
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable
from tests.rights import invoked

REDIRECT = "http://localhost:4566/oauth/callback"
SCOPES = ("openid", "profile", "email", "accounting.settings.read", "bankfeeds", "offline_access")
# What each version of feed connections is tested with: a test with this mark runs with either.
BOTH_VERSIONS = pytest.mark.parametrize("xero", [1, 2], indirect=True, ids=["1.0", "2.0"])
BAKERY = fixed_id("harbour-bakery")
JOINERY = fixed_id("northwind-joinery")


class Xero:
    """Feedlane's side: one vault, one client. `control` drives the simulator; `advance` moves both clocks."""

    def __init__(self, url: str, version: int = 1) -> None:
        self.url = url
        self.version = version
        self.http = httpx.Client(base_url=url, trust_env=False)
        self.ahead = timedelta()
        self.table, self.secrets = MemoryTable(), MemorySecrets()
        self.vault = self.new_vault()
        self.tokens = TokenCache(self.vault, self.now)
        api = XeroApi(Http(url, read_seconds=2), self.tokens, self.now)
        self.feeds, self.accounting = XeroBankFeeds(api, feed_connections_version=lambda: self.version), Accounting(api)
        self.connections = XeroConnections(Http(url), self.now)

    def now(self) -> datetime:
        return NOON + self.ahead

    def new_vault(self) -> VaultService:
        """Another function instance: its own memory, the same table and secrets."""
        identity = Identity(Http(self.url, read_seconds=2), self.now)
        return invoked(VaultService(self.secrets, self.table, identity, self.now))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_simulator/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", {"advanceSeconds": seconds})
        self.ahead += timedelta(seconds=seconds)

    def fault(self, path: str, **fault: Any) -> None:
        self.control("POST", "faults", {"match": {"path": path}, **fault})

    def calls(self, path: str) -> list[dict[str, Any]]:
        return [call for call in self.control("GET", "calls")["calls"] if call["path"] == path]

    @property
    def creation_path(self) -> str:
        """Where an account that Xero has is connected."""
        return FEED_CONNECTIONS_PATH if self.version == 1 else f"{FEED_CONNECTIONS_2_PATH}/ExistingAccount"

    @property
    def scopes(self) -> tuple[str, ...]:
        """What Link asks for."""
        return (*SCOPES, "bankfeedsv2") if self.version == 2 else SCOPES

    def consent(self, *tenant_ids: str, scopes: tuple[str, ...] | None = None) -> Grant:
        """The customer's consent in a browser, and the exchange of its code."""
        scopes = self.scopes if scopes is None else scopes
        self.control("PUT", "consent", {"mode": "auto", "tenantIds": list(tenant_ids)})
        redirect = self.http.get(authorize_url(self.url, DEFAULT_CLIENT_ID, REDIRECT, scopes, "state-1"))
        code = httpx.URL(redirect.headers["location"]).params["code"]
        return self.vault.exchange_code(code, REDIRECT)

    def access(self, tenant_id: str = BAKERY) -> TenantAccess:
        grant = self.consent(tenant_id)
        return TenantAccess(tenant_id=tenant_id, token_set_id=grant.token_set_id)


@pytest.fixture(scope="session")
def running() -> Iterator[RunningSimulator]:
    with serve_in_thread(Simulator(Clock(lambda: NOON))) as running:
        yield running


@pytest.fixture
def xero(running: RunningSimulator, request: pytest.FixtureRequest) -> Xero:
    """With feed connections of version 1, or of the one that `BOTH_VERSIONS` names."""
    xero = Xero(running.url, getattr(request, "param", 1))
    xero.control("POST", "reset")
    assert xero.vault.save_app_keys(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET).ok is True
    return xero
