"""The upstream is a setting of the deployment and of a company, and a connection keeps it until it is changed."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import UpstreamName
from feedlane.settings import items as settings_items
from feedlane.settings.settings import CodatFacts
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


def test_a_connection_is_changed_in_place_and_shows_how_far_it_is(call: Call, world: World) -> None:
    company = call("POST", "/companies", {"name": "Bakery"}).body["id"]
    before = call("POST", f"/companies/{company}/connections", {"platformKey": "gbol"}).body
    path = f"/companies/{company}/connections/{before['id']}"
    assert (before["upstream"], before["upstreamChange"]) == ("xero", None)
    assert call("POST", f"{path}/upstream", {"upstream": "plaid"}).invalid_fields == ["upstream"]
    assert call("POST", f"{path}/upstream", {"upsteam": "codat"}).invalid_fields == ["upstream", "upsteam"]
    assert call("POST", f"{path}/upstream", {"upstream": "xero"}).body["upstreamChange"] is None
    assert call("POST", f"{path}/upstream", {"upstream": "codat"}).status == 409, "no key of Codat's is stored"
    settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(codat=CodatFacts(ending="wxyz"))))
    changed = call("POST", f"{path}/upstream", {"upstream": "codat"}).body
    assert (changed["id"], changed["upstream"], changed["status"]) == (before["id"], "codat", "PendingAuth")
    assert (changed["upstreamChange"]["to"], changed["upstreamChange"]["state"]) == ("codat", "awaitingConsent")
    assert call("GET", path).body == changed
    assert call("POST", f"/companies/{company}/connections/nowhere/upstream", {"upstream": "codat"}).status == 404
