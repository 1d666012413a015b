"""Both generations of the official `codat-bankfeeds` SDK push into Feedlane, whose own upstream is Codat."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import UpstreamName
from feedlane.environment import environment
from local.simulator.organisations import fixed_id
from tests.contract.sdk.api_server import ApiServer
from tests.worlds import codat
from tests.worlds.web import API_KEY

SCRIPT = Path(__file__).with_name("platform_script.py")
# Beside the packages of `.venv`, because both versions are one package by name (`local/setup.sh`).
FORMER_SDK = Path(sys.prefix) / "former-sdk"
AUTHORIZATION = "Basic " + base64.b64encode(API_KEY.encode()).decode()
BAKERY, JOINERY = fixed_id("harbour-bakery"), fixed_id("northwind-joinery")
SDKS = [("13.0.0", None), ("12.0.0", FORMER_SDK)]


class Driven(ApiServer):
    """The API of a deployment whose upstream is Codat. What a request sets going is worked off after its answer."""

    def __init__(self, world: codat.World) -> None:
        self.world = world
        super().__init__()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        super().handle(request)
        self.world.run()


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
    from api import authentication, parts

    world = codat.World()
    monkeypatch.setattr(parts, "_current", world.site)
    environment.cache_clear()
    authentication.forget_all()
    server = Driven(world)
    yield server
    server.close()
    environment.cache_clear()


def run(server: Driven, sdk: Path | None, *rest: str | int) -> dict[str, Any]:
    """A process of its own: two versions of a package do not fit into one."""
    if sdk is not None and not sdk.exists():
        pytest.fail(f"{sdk} is missing: `make setup` installs it")
    environment = dict(os.environ) | ({"PYTHONPATH": str(sdk)} if sdk else {})
    arguments = [sys.executable, str(SCRIPT), server.url, AUTHORIZATION, *map(str, rest)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


def linked(server: Driven, sdk: Path | None, version: str, tenant: str) -> tuple[str, str]:
    """The platform sets up, and its customer goes through Codat's Link, which maps the account."""
    made = run(server, sdk)
    assert made["version"] == version
    ids, world = (made["company_id"], made["connection_id"]), server.world
    world.connection = company_items.connection(world.store, *ids)
    assert world.connection.upstream is UpstreamName.CODAT
    assert made["link_url"].endswith(f"{ids[1]}/start")
    world.codat.link.tenant_id, world.codat.link.maps = tenant, "newAccounts"
    assert world.go_through_link().status == 302
    world.run()
    return ids


@pytest.mark.parametrize(("version", "sdk"), SDKS)
def test_what_the_sdk_pushes_arrives_through_codat_once_and_in_order(
    driven: Driven, version: str, sdk: Path | None
) -> None:
    ids = linked(driven, sdk, version, BAKERY)
    for first, count in ((1, 3), (4, 2)):
        pushed = run(driven, sdk, *ids, first, count)
        assert (pushed["accounts"], pushed["pushed"], pushed["ended"]) == (
            [["main", "connected"]],
            "Pending",
            "Success",
        )
    assert driven.world.arrived == [f"t{number}" for number in range(1, 6)]
    assert len(driven.world.codat.operations) == 2


@pytest.mark.parametrize(("version", "sdk"), SDKS)
def test_xeros_403_behind_codat_reaches_the_sdk_as_its_own_error(
    driven: Driven, version: str, sdk: Path | None
) -> None:
    ids = linked(driven, sdk, version, JOINERY)
    ended = run(driven, sdk, *ids, 1, 2)
    assert ended["ended"] == "Failed"
    refused = run(driven, sdk, *ids, 3, 1)
    assert refused["status_code"] == 403
    for answer in (ended, refused):
        assert "does not support automated bank feeds" in answer["error"]
    assert driven.world.arrived == []
