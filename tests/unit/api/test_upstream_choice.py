"""The upstream is a setting of the deployment and of a company, and fixed for a connection when it is created."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import UpstreamName
from tests.unit.api.conftest import Call
from tests.worlds.api import World

SETTINGS = "/integrations/gbol/settings"


def made(call: Call, company: str) -> str:
    return str(call("POST", f"/companies/{company}/connections", {"platformKey": "gbol"}).body["upstream"])


def test_xero_is_the_default_and_others_are_refused(call: Call) -> None:
    assert call("GET", SETTINGS).body["upstream"] == "xero"
    assert call("PUT", SETTINGS, {"upstream": "plaid"}).invalid_fields == ["upstream"]
    assert call("POST", "/companies", {"name": "Bakery", "upstream": "plaid"}).invalid_fields == ["upstream"]
    company = call("POST", "/companies", {"name": "Bakery"}).body
    assert company["upstream"] is None
    assert call("PATCH", f"/companies/{company['id']}", {"upstream": "plaid"}).invalid_fields == ["upstream"]


def test_a_connection_keeps_the_upstream_it_was_created_with(call: Call, world: World) -> None:
    company = call("POST", "/companies", {"name": "Bakery"}).body["id"]
    assert made(call, company) == "xero"
    call("PUT", SETTINGS, {"upstream": "codat"})
    assert made(call, company) == "codat"
    call("PATCH", f"/companies/{company}", {"upstream": "xero"})
    assert made(call, company) == "xero"
    kept = [connection.upstream for connection in company_items.connections(world.store, company)]
    assert sorted(kept) == [UpstreamName.CODAT, UpstreamName.XERO, UpstreamName.XERO]
    assert [event.payload["settings"]["upstream"] for event in world.events("settings.changed")] == ["codat"]


def test_a_company_keeps_its_choice_when_a_client_of_codats_replaces_it(call: Call) -> None:
    company = call("POST", "/companies", {"name": "Bakery", "upstream": "codat"}).body
    assert company["upstream"] == "codat"
    path = f"/companies/{company['id']}"
    assert call("PUT", path, {"name": "Harbour Bakery"}).body["upstream"] == "codat"
    assert call("PATCH", path, {"name": "Harbour"}).body["upstream"] == "codat"
    assert made(call, company["id"]) == "codat"
    assert call("PUT", path, {"name": "Harbour Bakery", "upstream": None}).body["upstream"] is None
    assert made(call, company["id"]) == "xero"
