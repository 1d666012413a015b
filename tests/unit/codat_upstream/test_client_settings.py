"""What is set at Codat for all customers: read with the API key, and compared with what a customer's return needs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from feedlane.codat_upstream import own_client
from feedlane.codat_upstream.client import CodatClient
from feedlane.companies.hosted_link import HostedClient, redirect_template
from feedlane.wiring import codat as wiring_codat
from feedlane.wiring.outside import READ_SECONDS, DeployedOutside
from local.codat_simulator import client as client_routes
from tests.builders import URL
from tests.rights import acting_as
from tests.worlds.codat import CODAT_URL, REDIRECT_TEMPLATE, World

CALLBACK = f"{URL}/oauth/callback"


def test_it_is_read_as_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    assert own_client.read(world.client) == HostedClient(offers_xero=True, redirect_url=REDIRECT_TEMPLATE)
    world.codat.xero_enabled = False
    assert not own_client.read(world.client).offers_xero
    world.codat.xero_enabled = True
    monkeypatch.setattr(client_routes, "XERO_KEY", "another")
    assert not own_client.read(world.client).offers_xero, "Codat knows no such integration"


def test_the_portal_may_read_it_and_does_not_wait_long(monkeypatch: pytest.MonkeyPatch) -> None:
    world, given = World(), dict[str, Any]()

    def client(*parts: Any, **options: Any) -> CodatClient:
        given.update(options)
        return CodatClient(*parts, transport=world.wire, **options)

    monkeypatch.setattr(wiring_codat, "CodatClient", client)
    monkeypatch.setattr(wiring_codat, "ports", lambda: world.ports)
    monkeypatch.setattr(wiring_codat, "environment", lambda: SimpleNamespace(codat_api_url=CODAT_URL))
    monkeypatch.setattr(wiring_codat.functions, "vault", lambda: world.keys)
    with acting_as("portal"):
        assert DeployedOutside().codat_client().redirect_url == REDIRECT_TEMPLATE
    assert given["read_seconds"] == READ_SECONDS


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        (redirect_template(CALLBACK), True),
        (REDIRECT_TEMPLATE, True),
        (REDIRECT_TEMPLATE.replace("{", "%7B").replace("}", "%7D"), True),
        (REDIRECT_TEMPLATE.replace("&errorMessage={errorMessage}", "&more=1"), True),
        (REDIRECT_TEMPLATE.replace("&connectionId={connectionId}", ""), False),
        (REDIRECT_TEMPLATE.replace("{companyId}", "{companyid}"), False),
        (REDIRECT_TEMPLATE.replace("https:", "http:"), False),
        (REDIRECT_TEMPLATE.replace("/oauth/callback", "/oauth/callback/"), False),
        (f"https://other.example/?then={REDIRECT_TEMPLATE}", False),
        (CALLBACK, False),
        ("https://[", False),
        ("", False),
    ],
)
def test_a_redirect_url_leads_here_if_it_brings_all_that_the_callback_needs(url: str, leads: bool) -> None:
    assert HostedClient(offers_xero=True, redirect_url=url).leads_to(CALLBACK) is leads
