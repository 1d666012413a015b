"""The SDKs, and the API that they call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import shared
from codat_bankfeeds.utils.retries import BackoffStrategy, RetryConfig
from codat_platform import CodatPlatform
from codat_platform.models import shared as platform_shared

from tests.contract.sdk.api_server import AUTHORIZATION, ApiServer
from tests.worlds.api import World, installed


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """What the handler works with."""
    with installed(monkeypatch) as world:
        yield world


@pytest.fixture
def server(world: World) -> Iterator[ApiServer]:
    server = ApiServer()
    yield server
    server.close()


@pytest.fixture
def sdk(server: ApiServer) -> CodatBankFeeds:
    quick = RetryConfig("backoff", BackoffStrategy(10, 50, 1.5, 2000), True)
    return CodatBankFeeds(
        security=shared.Security(auth_header=AUTHORIZATION), server_url=server.url, retry_config=quick
    )


@pytest.fixture
def platform(server: ApiServer) -> CodatPlatform:
    return CodatPlatform(security=platform_shared.Security(auth_header=AUTHORIZATION), server_url=server.url)


@pytest.fixture
def ids(sdk: CodatBankFeeds, world: World) -> dict[str, str]:
    """A company with a linked connection."""
    company = sdk.companies.create(request={"name": "Harbour Bakery Ltd", "tags": {"uid": "cust_7"}})
    connection = sdk.connections.create(request={"company_id": company.id, "request_body": {"platform_key": "gbol"}})
    world.link(company.id, connection.id)
    return {"company_id": company.id, "connection_id": connection.id}
