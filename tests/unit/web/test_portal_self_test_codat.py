"""The test of the integration, and the test company, where new connections go through Codat."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import UpstreamName
from feedlane.feeds.push_operation import PushStatus
from feedlane.mapping import mapping
from feedlane.pushes.message import QueueMessage
from feedlane.pushes.recording import record
from feedlane.settings import items as settings_items
from feedlane.settings.settings import CodatFacts
from feedlane.store import keys
from feedlane.store.table import Put
from feedlane.upkeep import trial
from feedlane.upkeep.trial import ACCOUNT_ID
from tests.builders import NOW, URL
from tests.fakes.browser import PageResponse
from tests.rights import acting_as
from tests.unit.web.test_portal_self_test import _CHECK
from tests.worlds.codat import World
from tests.worlds.web import API_KEY

PATH, TRIAL = "/portal/set-up/test", "/portal/set-up/try"
OF_CODAT = {"Codat’s API key", "Xero at Codat", "Redirect URL", "Codat’s webhooks"}
OF_XERO = {"Keys of the Xero app", "Redirect URI", "Scopes", "Clock"}


@pytest.fixture
def world() -> World:
    world = World(client_id="", client_secret_ending="")
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    return world


def post(world: World, path: str, **fields: str) -> PageResponse:
    return world.browser.post(path, {"formToken": world.form_token("/portal/set-up")} | fields)


def run(world: World) -> dict[str, tuple[str, str]]:
    assert post(world, PATH).status == 303
    found = _CHECK.findall(world.browser.get(PATH).body)
    return {html.unescape(title): (outcome, html.unescape(said + remedy)) for title, said, remedy, outcome in found}


def change(world: World, **fields: Any) -> None:
    settings = settings_items.settings(world.store)
    world.store.commit(settings_items.put_settings(settings.but(**fields)))


def state_of_the_step(world: World) -> str:
    found = re.search(
        r'id="step-enable".*?<span class="pill [^>]*>([^<]*)<', world.browser.get("/portal/set-up").body, re.S
    )
    assert found
    return found[1]


def receive(world: World) -> None:
    messages = [QueueMessage(sent["id"], sent["group"], sent["body"], NOW) for sent in world.queues.pushed]
    with acting_as("record_transactions"):
        record(world.ports, messages)


def test_codat_is_tested_in_the_place_of_xero_and_all_is_well(world: World) -> None:
    change(world, codat=settings_items.settings(world.store).codat.but(webhook_ending="FhcY"))
    checks = run(world)
    assert {title for title, (outcome, _) in checks.items() if outcome == "ok"} == {*OF_CODAT, "Link", "Alarms"}
    assert not OF_XERO & set(checks)
    assert world.site.outside.asked == []
    assert f"{URL}/oauth/callback" in checks["Redirect URL"][1]
    receive(world)
    assert state_of_the_step(world) == "done"


@pytest.mark.parametrize(
    ("fault", "title", "outcome", "said"),
    [
        ("no key", "Codat’s API key", "failed", "Enter it in step 1"),
        ("no key", "Xero at Codat", "skipped", "There is no API key yet"),
        ("key", "Codat’s API key", "failed", "Make a new key in Codat’s portal"),
        ("silence", "Codat’s API key", "failed", "It could not be checked. Codat"),
        ("silence", "Redirect URL", "skipped", "it did not say"),
        ("integration", "Xero at Codat", "failed", "Switch Xero on"),
        ("redirect", "Redirect URL", "failed", "Codat’s is https://other.example/"),
        ("no redirect", "Redirect URL", "failed", "Codat has none"),
        ("callback", "Redirect URL", "failed", "it answered 502"),
        ("none", "Codat’s webhooks", "skipped", "Enter it in step 2"),
    ],
)
def test_each_fault_is_said_where_it_is_with_its_remedy(
    world: World, fault: str, title: str, outcome: str, said: str
) -> None:
    _break(world, fault)
    found, text = run(world)[title]
    assert found == outcome
    assert said in text


def test_a_fault_at_codat_makes_the_step_fail(world: World) -> None:
    _break(world, "integration")
    run(world)
    receive(world)
    assert state_of_the_step(world) == "failed"


def test_xeros_app_is_tested_too_as_long_as_it_has_connections(world: World) -> None:
    change(world, client_id="app-1", client_secret_ending="wxyz")
    assert not OF_XERO & set(run(world))
    pk, sk = keys.LINKED_COUNT
    world.store.commit(Put({"pk": pk, "sk": sk, "count": 1}))
    world.site.vault.check = world.site.vault.check.but(ok=False)
    checks = run(world)
    assert set(checks) >= OF_XERO | OF_CODAT
    assert "under “Xero app” in the settings" in checks["Keys of the Xero app"][1]


def test_a_test_of_another_way_to_xero_says_nothing_about_this_one(world: World) -> None:
    run(world)
    receive(world)
    assert state_of_the_step(world) == "done"
    change(world, upstream=UpstreamName.XERO)
    assert state_of_the_step(world) == "to do"


def test_the_test_company_goes_the_whole_way_through_codat(world: World) -> None:
    assert "through Codat" in world.browser.get(TRIAL).body
    assert post(world, TRIAL, currency="GBP").status == 303
    began = trial.find(world.store)
    assert began is not None
    assert began.connection.upstream == UpstreamName.CODAT
    world.connection = began.connection
    world.go_through_link()
    with acting_as("link"):
        account = company_items.source_account(world.store, world.connection.id, ACCOUNT_ID)
        mapping.map_account(world.ports, world.site.upstream, world.now, world.current(), account, None)
    world.run()
    assert post(world, f"{TRIAL}/send").status == 303
    world.run()
    progress = trial.find(world.store)
    assert progress is not None
    assert progress.operation is not None
    assert progress.operation.status is PushStatus.SUCCESS
    assert len(world.arrived) == 1
    body = world.browser.get(TRIAL).body
    assert "Ends the connection at Codat" in body
    assert post(world, f"{TRIAL}/remove").status == 303
    assert {one.status for one in world.codat.connections.values()} == {"Unlinked"}


def test_the_test_company_keeps_the_way_that_it_was_made_for(world: World) -> None:
    post(world, TRIAL, currency="GBP")
    change(world, upstream=UpstreamName.XERO)
    assert "Ends the connection at Codat" in world.browser.get(TRIAL).body


def _break(world: World, fault: str) -> None:
    template = world.codat.profile.redirect_url
    match fault:
        case "no key":
            change(world, codat=CodatFacts())
        case "key":
            world.codat.api_keys.clear()
        case "silence":
            world.wire.lose = lambda request: True
        case "integration":
            world.codat.xero_enabled = False
        case "redirect":
            world.codat.profile.redirect_url = template.replace(URL, "https://other.example")
        case "no redirect":
            world.codat.profile.redirect_url = ""
        case "callback":
            world.site.outside.faults = {"/oauth/callback": "it answered 502"}
