"""The operator's pages: who is let in, what they show, and what they change."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.hold import Hold, Scope
from feedlane.ids import fingerprint
from feedlane.problem import Problem
from feedlane.settings import Access, Settings
from feedlane.vault import KeysCheck
from tests.unit.web.world import API_KEY, NOW, URL, Browser, World

HOLD = Hold(
    id="hold-1",
    scope=Scope.TENANT,
    subject="tenant-acme",
    reason="organisation-without-bank-feeds",
    problem=Problem(
        type="invalid-organisation-bank-feeds",
        title="Invalid Organisation",
        status=403,
        detail="The organisation does not support automated bank feeds.",
    ),
    since=NOW,
)


@pytest.fixture
def world() -> World:
    world = World()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    return world


def test_an_api_key_opens_the_portal_for_eight_hours() -> None:
    world = World()
    assert world.browser.get("/portal").path == "/portal/sign-in"
    seen = world.browser.post("/portal/sign-in", {"key": API_KEY})
    assert seen.path == "/portal"
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/portal", "Max-Age=28800"} <= set(seen.cookies[0].split("; "))
    assert world.browser.get("/portal").status == 200
    world.site.time += timedelta(hours=8)
    assert world.browser.get("/portal").path == "/portal/sign-in"


@pytest.mark.parametrize("key", ["", "wrong", "fl_unit-test-key2"])
def test_another_key_does_not_open_it(key: str) -> None:
    seen = World().browser.post("/portal/sign-in", {"key": key})
    assert seen.status == 401
    assert seen.cookies == []
    assert 'role="alert"' in seen.body


def test_deleting_the_key_ends_its_sessions(world: World) -> None:
    key = world.store.api_key(fingerprint(API_KEY))
    assert key is not None
    world.store.commit(world.store.remove_api_key(key))
    assert world.browser.get("/portal").path == "/portal/sign-in"


def test_signing_out_ends_the_session(world: World) -> None:
    jar = dict(world.browser.jar)
    world.browser.post("/portal/sign-out", {"formToken": world.form_token("/portal")})
    world.browser.jar = jar
    assert world.browser.get("/portal").path == "/portal/sign-in"


def test_a_link_session_does_not_open_the_portal(world: World) -> None:
    world.link()
    [value] = [value for (name, _), value in world.browser.jar.items() if name == "feedlane_link"]
    stranger = Browser(world.site)
    stranger.jar["feedlane_portal", "/portal"] = value
    assert stranger.get("/portal").path == "/portal/sign-in"


def test_a_hold_is_shown_with_xeros_problem_and_released(world: World) -> None:
    world.store.commit(world.store.add_hold(HOLD))
    body = world.browser.get("/portal").body
    assert "The organisation does not support automated bank feeds." in body
    assert "invalid-organisation-bank-feeds" in body
    seen = world.browser.post("/portal/holds/hold-1/release", {"formToken": world.form_token("/portal")})
    assert seen.query == {"released": "now"}
    assert world.store.holds() == []
    assert "bankFeeds.released" in world.events()
    again = world.browser.post("/portal/holds/hold-1/release", {"formToken": world.form_token("/portal")})
    assert again.query == {"released": "before"}


def test_a_release_without_the_form_token_releases_nothing(world: World) -> None:
    world.store.commit(world.store.add_hold(HOLD))
    assert world.browser.post("/portal/holds/hold-1/release", {}).status == 403
    assert world.store.holds() == [HOLD]


def test_a_company_shows_its_link_and_its_accounts(world: World) -> None:
    world.add_account()
    body = world.browser.get(f"/portal/companies/{world.connection.company_id}").body
    assert f"{URL}{world.base()}/start" in body
    assert "Main account – 1234" in body


def test_connections_are_shown_in_pages(world: World) -> None:
    for _ in range(30):
        world.add_connection(world.connection.company_id)
    first = world.browser.get("/portal").body
    assert first.count("Harbour Bakery") == 25
    after = first.split("/portal?after=")[1].split('"')[0]
    assert world.browser.get(f"/portal?after={after}").body.count("Harbour Bakery") == 6


# settings


def _save(world: World, **fields: str) -> object:
    form = {"access": "Continuous", "connection_limit": "25", "enabled": "yes", "bank_feeds": "yes"} | fields
    return world.browser.post("/portal/settings", {"formToken": world.form_token("/portal/settings")} | form)


def test_settings_show_masked_keys_and_never_the_whole_secret(world: World) -> None:
    body = world.browser.get("/portal/settings").body
    assert "xxxxxxxxxxxxwxyz" in body
    assert "xxxxxxxxxxxxpp-1" in body
    assert f"{URL}/oauth/callback" in body


def test_settings_are_saved_with_an_event(world: World) -> None:
    _save(world, access="OneOff", connection_limit="5", bank_feeds="")
    saved = world.store.settings()
    assert (saved.access, saved.connection_limit, saved.bank_feeds) == (Access.ONE_OFF, 5, False)
    assert world.events() == ["settings.changed"]


def test_the_daily_limit_is_saved_and_what_is_no_such_number_is_refused_with_the_rule(world: World) -> None:
    assert 'value="1000"' in world.browser.get("/portal/settings").body
    _save(world, daily_limit="5000")
    assert world.store.settings().daily_limit == 5000
    for wrong in ("none", "²", "-5", "9" * 5000, "199"):
        seen = _save(world, daily_limit=wrong)
        assert seen.status == 422  # type: ignore[attr-defined]
        assert "Calls a day: must be how many calls a day Xero allows" in seen.body  # type: ignore[attr-defined]
    assert world.store.settings().daily_limit == 5000


def test_keys_go_to_the_vault_and_only_endings_are_kept(world: World) -> None:
    _save(world, client_id="NEWID1234", client_secret="canary-secret-9876")
    assert world.site.vault.keys == [("NEWID1234", "canary-secret-9876")]
    saved = world.store.settings()
    assert (saved.client_id, saved.client_secret_ending) == ("NEWID1234", "9876")
    assert "canary-secret" not in str(world.table.items)


def test_a_new_secret_alone_goes_with_the_stored_client_id(world: World) -> None:
    _save(world, client_secret="canary-secret-9876")
    assert world.site.vault.keys == [("app-1", "canary-secret-9876")]


def test_keys_that_xero_does_not_know_are_refused_with_the_part_that_is_wrong(world: World) -> None:
    world.site.vault.check = KeysCheck(ok=False, field="clientSecret", message="Xero does not know this secret")
    seen = _save(world, client_id="NEWID1234", client_secret="canary-secret-9876")
    assert seen.status == 422  # type: ignore[attr-defined]
    assert "Client secret: Xero does not know this secret" in seen.body  # type: ignore[attr-defined]
    assert "canary-secret" not in seen.body  # type: ignore[attr-defined]
    assert world.store.settings().client_id == "app-1"


def test_an_id_without_its_secret_is_refused(world: World) -> None:
    seen = _save(world, client_id="NEWID1234")
    assert seen.status == 422  # type: ignore[attr-defined]
    assert world.site.vault.keys == []


def test_enabling_without_keys_is_refused(world: World) -> None:
    world.store.commit(world.store.put_settings(Settings(version=world.store.settings().version)))
    seen = _save(world)
    assert seen.status == 422  # type: ignore[attr-defined]
    assert not world.store.settings().enabled
