"""The portal's settings: shown without secrets, changed as by the API, and refused with the broken rule."""

from __future__ import annotations

import pytest

from feedlane.credentials.vault import KeysCheck
from feedlane.feeds.rules import ChangedTransactions
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Access, Settings
from tests.builders import URL
from tests.fakes.browser import PageResponse
from tests.unit.web.portal import signed_in
from tests.worlds.web import World


@pytest.fixture
def world() -> World:
    return signed_in()


# What the form of each section sends if nothing is changed in it.
FORMS: dict[str, dict[str, str]] = {
    "app": {"enabled": "yes"},
    "access": {"access": "Continuous", "connection_limit": "25", "bank_feeds": "yes"},
    "sending": {},
    "links": {"pkce": "yes"},
    "codat": {"upstream": "xero"},
}


def _save(world: World, section: str, **fields: str) -> PageResponse:
    form = {"formToken": world.form_token("/portal/settings")} | FORMS[section] | fields
    return world.browser.post(f"/portal/settings/{section}", form)


def _pages(world: World) -> str:
    return "".join(world.browser.get(f"/portal/settings/{section}").body for section in FORMS)


def test_settings_show_masked_keys_and_never_the_whole_secret(world: World) -> None:
    body = world.browser.get("/portal/settings").body
    assert "xxxxxxxxxxxxwxyz" in body
    assert "xxxxxxxxxxxxpp-1" in body
    assert f"{URL}/oauth/callback" in body


def test_settings_are_saved_with_an_event(world: World) -> None:
    _save(world, "access", access="OneOff", connection_limit="5", bank_feeds="")
    saved = settings_items.settings(world.store)
    assert (saved.access, saved.connection_limit, saved.bank_feeds) == (Access.ONE_OFF, 5, False)
    assert world.event_types == ["settings.changed"]


def test_the_daily_limit_is_saved_and_what_is_no_such_number_is_refused_with_the_rule(world: World) -> None:
    assert 'value="1000"' in world.browser.get("/portal/settings/access").body
    _save(world, "access", daily_limit="5000")
    assert settings_items.settings(world.store).daily_limit == 5000
    for invalid in ("none", "²", "-5", "9" * 5000, "199", ""):
        response = _save(world, "access", daily_limit=invalid)
        assert response.status == 422
        assert "Daily call limit must be the number of calls a day that Xero allows" in response.body
    assert settings_items.settings(world.store).daily_limit == 5000


def test_the_version_of_feed_connections_is_chosen_and_kept_and_nothing_else_is_one(world: World) -> None:
    _save(world, "sending", feed_connections="2")
    assert settings_items.settings(world.store).feed_connections == 2
    assert '<option value="2" selected>' in world.browser.get("/portal/settings/sending").body
    _save(world, "sending")
    response = _save(world, "sending", feed_connections="3")
    assert response.status == 422
    assert "Feed connections must be 1 or 2" in response.body
    assert settings_items.settings(world.store).feed_connections == 2


def test_keys_go_to_the_vault_and_only_endings_are_kept(world: World) -> None:
    _save(world, "app", client_id="NEWID1234", client_secret="canary-secret-9876")
    assert world.site.vault.keys == [("NEWID1234", "canary-secret-9876")]
    saved = settings_items.settings(world.store)
    assert (saved.client_id, saved.client_secret_ending) == ("NEWID1234", "9876")
    assert "canary-secret" not in str(world.table.items)


def test_a_new_secret_alone_goes_with_the_stored_client_id(world: World) -> None:
    _save(world, "app", client_secret="canary-secret-9876")
    assert world.site.vault.keys == [("app-1", "canary-secret-9876")]


def test_keys_that_xero_does_not_know_are_refused_with_the_part_that_is_wrong(world: World) -> None:
    world.site.vault.check = KeysCheck(ok=False, field="clientSecret", message="Xero does not recognise this secret")
    response = _save(world, "app", client_id="NEWID1234", client_secret="canary-secret-9876")
    assert response.status == 422
    assert "Client secret: Xero does not recognise this secret" in response.body
    assert "canary-secret" not in response.body
    assert settings_items.settings(world.store).client_id == "app-1"


def test_a_form_that_is_refused_for_another_field_has_saved_no_keys(world: World) -> None:
    """The page came back with the id and without the secret, which it then asked for, although it had been saved."""
    response = _save(world, "app", client_id="NEWID1234", client_secret="canary-9876", app_name="Feeds for Xero")
    assert (response.status, "must not contain" in response.body) == (422, True)
    assert world.site.vault.keys == []
    assert settings_items.settings(world.store).client_id == "app-1"


def test_an_id_without_its_secret_is_refused(world: World) -> None:
    response = _save(world, "app", client_id="NEWID1234")
    assert response.status == 422
    assert world.site.vault.keys == []


def test_enabling_without_keys_is_refused(world: World) -> None:
    world.store.commit(settings_items.put_settings(Settings(version=settings_items.settings(world.store).version)))
    response = _save(world, "app")
    assert response.status == 422
    assert "Enabled needs the app’s keys. Enter them below." in response.body
    assert not settings_items.settings(world.store).enabled


def test_every_setting_of_the_api_can_be_set_here(world: World) -> None:
    _save(
        world,
        "app",
        app_name="Harbour Feeds",
        company_url="https://example.com",
        redirect_uri=f"{URL}/oauth/callback",
    )
    privacy, terms = "https://example.com/privacy", "https://example.com/terms"
    _save(world, "access", partner="yes", privacy_policy_url=privacy, terms_url=terms)
    _save(world, "links", link_passwords="yes")
    _save(
        world,
        "sending",
        gap_is_error="yes",
        refusal_holds_feed="yes",
        synthetic_balances="yes",
        changed_transactions="Refuse",
    )
    saved = settings_items.settings(world.store)
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
        refusal_holds_feed=True,
        synthetic_balances=True,
        changed_transactions=ChangedTransactions.REFUSE,
        pkce=True,
        link_passwords=True,
        client_id="app-1",
        client_secret_ending="wxyz",
        version=saved.version,
    )
    assert saved.model_dump() == expected.model_dump()
    body = world.browser.get("/portal/settings/access").body
    assert 'value="https://example.com/terms"' in body
    assert "Xero app partners have no limit." in body
    _save(world, "access", privacy_policy_url=privacy)
    assert (settings_items.settings(world.store).partner, settings_items.settings(world.store).connection_limit) == (
        False,
        25,
    )


def test_the_names_of_api_and_portal_are_the_same_settings(world: World) -> None:
    """A setting added to the API alone would be missing for operators without an API client."""
    body = _pages(world)
    not_in_form = {"client_secret_ending", "second_secret_ending", "keys_checked", "codat", "version"}
    missing = [name for name in Settings.model_fields if name not in not_in_form and f'name="{name}"' not in body]
    assert missing == []


@pytest.mark.parametrize(
    ("section", "field", "value", "message"),
    [
        ("app", "company_url", "http://example.com", "Company URL must be an https URL"),
        ("app", "redirect_uri", "https://example.com/elsewhere", "Redirect URI must end with /oauth/callback"),
        ("access", "partner", "yes", "Privacy policy is required for partners"),
        ("app", "app_name", "Feeds for Xero", "App name must not contain &#34;Xero&#34;"),
        ("access", "access", "Sometimes", "Access to company data must be one of the two below"),
        ("codat", "upstream", "plaid", "Upstream must be one of the two below"),
    ],
)
def test_a_broken_rule_is_named_with_its_field_and_what_was_entered_stays(
    world: World, section: str, field: str, value: str, message: str
) -> None:
    before = settings_items.settings(world.store)
    response = _save(world, section, **{field: value})
    assert response.status == 422
    assert message in response.body
    assert "<title>Error: " in response.body
    assert field in ("partner", "access", "upstream") or f'value="{value}"' in response.body
    assert settings_items.settings(world.store) == before


def test_a_second_secret_is_added_and_either_one_forgotten(world: World) -> None:
    _save(world, "app", second_secret="canary-secret-2222")
    assert world.site.vault.second == "canary-secret-2222"
    body = world.browser.get("/portal/settings").body
    assert "xxxxxxxxxxxx2222" in body
    assert "canary-secret" not in body + str(world.table.items)
    token = world.form_token("/portal/settings")
    response = world.browser.post("/portal/settings/app/secret", {"formToken": token, "which": "first"})
    assert response.query == {"saved": "dropped"}
    assert world.site.vault.dropped == ["first"]
    saved = settings_items.settings(world.store)
    assert (saved.client_secret_ending, saved.second_secret_ending) == ("2222", "")
    assert "Remove the first" not in world.browser.get("/portal/settings").body


def test_a_second_secret_that_xero_does_not_know_is_named_by_its_own_field(world: World) -> None:
    world.site.vault.check = KeysCheck(ok=False, field="clientSecret", message="Xero does not recognise this secret.")
    response = _save(world, "app", second_secret="canary-secret-2222")
    assert response.status == 422
    assert "Second secret: Xero does not recognise this secret." in response.body


def test_forgetting_a_secret_needs_the_form_token(world: World) -> None:
    assert world.browser.post("/portal/settings/app/secret", {"which": "first"}).status == 403
    assert world.site.vault.dropped == []
