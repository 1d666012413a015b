"""What is set at Codat for all customers: read with the API key, and compared with what a customer's return needs."""

from __future__ import annotations

import pytest

from feedlane.codat_upstream import own_client
from feedlane.companies.hosted_link import HostedClient, redirect_template
from local.codat_simulator import client as client_routes
from tests.builders import URL
from tests.worlds.codat import REDIRECT_TEMPLATE, World

CALLBACK = f"{URL}/oauth/callback"


def test_it_is_read_as_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    assert own_client.read(world.client) == HostedClient(offers_xero=True, redirect_url=REDIRECT_TEMPLATE)
    world.codat.xero_enabled = False
    assert not own_client.read(world.client).offers_xero
    world.codat.xero_enabled = True
    monkeypatch.setattr(client_routes, "XERO_KEY", "another")
    assert not own_client.read(world.client).offers_xero, "Codat knows no such integration"


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
