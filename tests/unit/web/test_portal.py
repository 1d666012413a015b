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


def test_every_setting_of_the_api_can_be_set_here(world: World) -> None:
    _save(
        world,
        app_name="Harbour Feeds",
        company_url="https://example.com",
        redirect_uri=f"{URL}/oauth/callback",
        partner="yes",
        privacy_policy_url="https://example.com/privacy",
        terms_url="https://example.com/terms",
        pkce="yes",
        link_passwords="yes",
        gap_is_error="yes",
    )
    saved = world.store.settings()
    expected = Settings(
        enabled=True,
        bank_feeds=True,
        app_name="Harbour Feeds",
        company_url="https://example.com",
        partner=True,
        privacy_policy_url="https://example.com/privacy",
        terms_url="https://example.com/terms",
        connection_limit=None,
        gap_is_error=True,
        pkce=True,
        link_passwords=True,
        client_id="app-1",
        client_secret_ending="wxyz",
        version=saved.version,
    )
    assert saved.model_dump() == expected.model_dump()
    body = world.browser.get("/portal/settings").body
    assert 'value="https://example.com/terms"' in body
    assert "None: the app is a Xero app partner’s." in body
    _save(world, privacy_policy_url="https://example.com/privacy")
    assert (world.store.settings().partner, world.store.settings().connection_limit) == (False, 25)


def test_the_names_of_api_and_portal_are_the_same_settings(world: World) -> None:
    """A setting that the API gets and the portal does not would be missed by whoever has no client."""
    body = world.browser.get("/portal/settings").body
    not_here = {"client_secret_ending", "second_secret_ending", "keys_checked", "version"}
    missing = [name for name in Settings.model_fields if name not in not_here and f'name="{name}"' not in body]
    assert missing == []


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("company_url", "http://example.com", "Company URL: must be an address with https"),
        ("redirect_uri", "https://example.com/elsewhere", "Redirect URI: must end with /oauth/callback"),
        ("partner", "yes", "Privacy policy: is required of a partner"),
        ("app_name", "Feeds for Xero", "App name: must not contain Xero"),
        ("access", "Sometimes", "Access to company data: must be OneOff or Continuous"),
    ],
)
def test_a_broken_rule_is_named_with_its_field_and_what_was_entered_stays(
    world: World, field: str, value: str, told: str
) -> None:
    before = world.store.settings()
    seen = _save(world, **{field: value})
    assert seen.status == 422  # type: ignore[attr-defined]
    assert told in seen.body  # type: ignore[attr-defined]
    assert field in ("partner", "access") or f'value="{value}"' in seen.body  # type: ignore[attr-defined]
    assert world.store.settings() == before


def test_a_second_secret_is_added_and_either_one_forgotten(world: World) -> None:
    _save(world, second_secret="canary-secret-2222")
    assert world.site.vault.second == "canary-secret-2222"
    body = world.browser.get("/portal/settings").body
    assert "xxxxxxxxxxxx2222" in body
    assert "canary-secret" not in body + str(world.table.items)
    token = world.form_token("/portal/settings")
    seen = world.browser.post("/portal/settings/secret", {"formToken": token, "which": "first"})
    assert seen.query == {"saved": "dropped"}
    assert world.site.vault.dropped == ["first"]
    saved = world.store.settings()
    assert (saved.client_secret_ending, saved.second_secret_ending) == ("2222", "")
    assert "Forget the first" not in world.browser.get("/portal/settings").body


def test_a_second_secret_that_xero_does_not_know_is_named_by_its_own_field(world: World) -> None:
    world.site.vault.check = KeysCheck(ok=False, field="clientSecret", message="Xero does not know this secret.")
    seen = _save(world, second_secret="canary-secret-2222")
    assert seen.status == 422  # type: ignore[attr-defined]
    assert "Second secret: Xero does not know this secret." in seen.body  # type: ignore[attr-defined]


def test_forgetting_a_secret_needs_the_form_token(world: World) -> None:
    assert world.browser.post("/portal/settings/secret", {"which": "first"}).status == 403
    assert world.site.vault.dropped == []


# profile


def _profile(world: World, **fields: str) -> object:
    form = {"name": "Ledgerly", "redirect_url": "", "logo_url": "", "icon_url": ""} | fields
    token = world.form_token("/portal/profile")
    return world.browser.post(
        "/portal/profile", {"formToken": token, "white_list_urls": "", "allowed_origins": ""} | form
    )


def test_the_profile_is_shown_and_saved(world: World) -> None:
    _profile(
        world,
        name="Harbour",
        redirect_url="https://{tenant}.example.com/done?s={statusCode}",
        white_list_urls="https://a.example.com\r\n\r\n https://b.example.com",
        allowed_origins="https://app.example.com",
    )
    saved = world.store.profile()
    assert (saved.name, saved.white_list_urls) == ("Harbour", ("https://a.example.com", "https://b.example.com"))
    assert saved.allowed_origins == ("https://app.example.com",)
    body = world.browser.get("/portal/profile").body
    assert "https://a.example.com\nhttps://b.example.com</textarea>" in body


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "", "Name: must have 1 to 255 characters"),
        ("redirect_url", "http://example.com", "Redirect URL: must be an address with https"),
        ("redirect_url", "https://{x}.example.com", "Redirect URL: has a placeholder in its host"),
        ("allowed_origins", "https://example.com/path", "Web pages that may call the API: must be origins"),
    ],
)
def test_a_profile_that_breaks_a_rule_is_not_saved(world: World, field: str, value: str, told: str) -> None:
    before = world.store.profile()
    seen = _profile(world, **{field: value})
    assert seen.status == 422  # type: ignore[attr-defined]
    assert told in seen.body  # type: ignore[attr-defined]
    assert world.store.profile() == before
