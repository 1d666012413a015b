"""The set-up guide: facts say what is done, each step is saved by its own form, and Xero is asked before bank feeds."""

from __future__ import annotations

import re
from typing import Any

import pytest

from feedlane.credentials.authorization import Verdict
from feedlane.credentials.vault import KeysCheck
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Access, Profile, Settings
from tests.builders import URL
from tests.fakes.browser import PageResponse
from tests.unit.web.portal import signed_in
from tests.worlds.web import API_KEY, World

FORMS: dict[str, dict[str, str]] = {
    "app": {"app_name": "Ledgerly Feeds", "company_url": "https://ledgerly.example"},
    "keys": {"client_id": "NEWID1234", "client_secret": "canary-secret-9876"},
    "access": {"access": "Continuous"},
    "face": {"name": "Ledgerly", "logo_url": "", "colour": "#0B6E4F", "support_address": "help@ledgerly.example"},
    "bank-feeds": {"bank_feeds": "yes"},
    "partner": {"privacy_policy_url": "", "terms_url": "", "connection_limit": "5"},
    "enable": {"enabled": "yes"},
}


@pytest.fixture
def world() -> World:
    """As a new deployment is."""
    world = World()
    settings, profile = settings_items.settings(world.store), settings_items.profile(world.store)
    world.store.commit(
        settings_items.put_settings(Settings(version=settings.version)),
        settings_items.put_profile(Profile(version=profile.version)),
    )
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    return world


def send(world: World, step: str, **changes: str) -> PageResponse:
    form = {"formToken": world.form_token("/portal/set-up")} | FORMS[step] | changes
    return world.browser.post(f"/portal/set-up/{step}", {name: value for name, value in form.items() if value != "off"})


def progress(world: World) -> str:
    found = re.search(r'id="progress">([^<]+)<', world.browser.get("/portal/set-up").body)
    assert found
    return found[1]


def settings_of(world: World) -> Settings:
    return settings_items.settings(world.store)


def test_who_signs_in_before_it_is_enabled_begins_with_the_guide(world: World) -> None:
    assert world.browser.post("/portal/sign-in", {"key": API_KEY}).path == "/portal/set-up"
    assert world.browser.post("/portal/sign-in", {"key": API_KEY, "next": "/portal/holds"}).path == "/portal/holds"
    assert signed_in().browser.post("/portal/sign-in", {"key": API_KEY}).path == "/portal"


def test_each_step_is_done_by_its_form_and_the_next_one_is_offered(world: World) -> None:
    assert progress(world) == "0 of 7 done"
    for done, step in enumerate(FORMS):
        page = world.browser.get("/portal/set-up").body
        assert f'href="/portal/set-up/{step}#step-{step}">Next:' in page
        answer = send(world, step)
        assert (answer.status, answer.path) == (303, "/portal/set-up"), answer.body
        assert progress(world) == f"{min(done + 1, 6)} of 7 done"
    settings = settings_of(world)
    assert (settings.enabled, settings.bank_feeds, settings.connection_limit) == (True, True, 5)
    assert settings_items.profile(world.store).colour == "#0b6e4f"


def test_who_keeps_the_name_feedlane_is_told_why_the_step_stays_open(world: World) -> None:
    answer = send(world, "face", name="Feedlane")
    assert "The name is still Feedlane" in world.browser.get(answer.location).body
    assert progress(world) == "0 of 7 done"


def test_once_it_is_enabled_the_next_step_is_the_test(world: World) -> None:
    for step in FORMS:
        send(world, step)
    assert "Next: Test it<" in world.browser.get("/portal/set-up").body


def test_the_redirect_uri_is_there_to_be_copied(world: World) -> None:
    assert f'data-copy="the redirect URI">{URL}/oauth/callback</code>' in world.browser.get("/portal/set-up").body


@pytest.mark.parametrize(
    ("step", "changes", "field", "sentence"),
    [
        ("app", {"app_name": "", "company_url": ""}, "app_name", "Enter the app’s name."),
        ("app", {"app_name": "Feeds for Xero"}, "app_name", "must not contain"),
        ("app", {"company_url": "http://x.example"}, "company_url", "Company URL must be an https URL"),
        ("keys", {"client_id": ""}, "client_id", "Enter the client id."),
        ("keys", {"client_secret": ""}, "client_secret", "Enter the secret that belongs to this client ID."),
        ("access", {"access": "Now"}, "access", "must be one of the two below"),
        ("face", {"name": ""}, "name", "Enter a name of 1 to 255 characters."),
        ("face", {"colour": "#ffd400"}, "colour", "Colour is too light"),
        ("bank-feeds", {}, "bank_feeds", "Enter the keys in step 2."),
        ("partner", {"partner": "yes"}, "terms_url", "Terms is required for partners."),
        ("partner", {"connection_limit": "7"}, "connection_limit", "must be one of those listed"),
        ("enable", {}, "enabled", "Enabling needs the app’s keys. Enter them in step 2."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(
    world: World, step: str, changes: dict[str, str], field: str, sentence: str
) -> None:
    before = (settings_of(world), settings_items.profile(world.store))
    answer = send(world, step, **changes)
    assert answer.status == 422
    assert f'<a href="#{field}">' in answer.body
    assert sentence in answer.body
    assert re.search(rf'id="step-{step}">\s*<details open>', answer.body)
    assert "canary" not in answer.body
    assert (settings_of(world), settings_items.profile(world.store)) == before
    assert progress(world) == "0 of 7 done"


def test_what_was_entered_stays_after_an_error(world: World) -> None:
    assert 'value="Ledgerly Feeds"' in send(world, "app", company_url="ledgerly").body


@pytest.mark.parametrize(
    ("field", "sentence"), [("clientId", "this client id with this"), ("clientSecret", "not this")]
)
def test_keys_that_xero_does_not_know_say_which_of_the_two_and_what_to_do(
    world: World, field: str, sentence: str
) -> None:
    world.site.vault.check = KeysCheck(ok=False, field=field, message="Xero says no")
    answer = send(world, "keys")
    assert answer.status == 422
    assert sentence in answer.body
    assert "Copy both once more from Configuration" in answer.body


def test_keys_that_could_not_be_checked_are_saved_and_the_step_stays_open(world: World) -> None:
    world.site.vault.check = KeysCheck(ok=None)
    answer = send(world, "keys")
    assert answer.query == {"saved": "unchecked"}
    assert "Xero could not be reached to check them" in world.browser.get(answer.location).body
    assert progress(world) == "0 of 7 done"


def test_one_off_beside_bank_feeds_is_refused_with_the_reason_from_both_sides(world: World) -> None:
    send(world, "keys")
    send(world, "bank-feeds")
    answer = send(world, "access", access="OneOff")
    assert answer.status == 422
    assert "One-off access and bank feeds exclude each other" in answer.body
    assert settings_of(world).access is Access.CONTINUOUS
    assert send(world, "bank-feeds", bank_feeds="off").query == {"saved": "off"}
    assert send(world, "access", access="OneOff").status == 303
    assert "exclude each other" in send(world, "bank-feeds").body
    assert not settings_of(world).bank_feeds


def test_bank_feeds_are_switched_on_once_xero_says_that_it_grants_them(world: World) -> None:
    send(world, "keys")
    assert send(world, "bank-feeds").query == {"saved": "granted"}
    client_id, redirect_uri, scopes = world.site.outside.asked[-1]
    assert (client_id, redirect_uri) == ("NEWID1234", f"{URL}/oauth/callback")
    assert {"bankfeeds", "offline_access"} <= set(scopes)
    assert "Xero grants your app the scope bankfeeds" in world.browser.get("/portal/set-up/bank-feeds").body


@pytest.mark.parametrize(
    ("outside", "sentence"),
    [
        ({"refused": {"bankfeeds"}}, "Xero does not grant your app the scope bankfeeds. Ask Xero"),
        ({"refused": {"openid"}}, "the scopes that every connection needs"),
        ({"verdict": Verdict.WRONG_REDIRECT}, "The redirect URI is not registered"),
        ({"verdict": Verdict.WRONG_CLIENT}, "Xero does not know the client id"),
    ],
)
def test_bank_feeds_stay_off_if_xero_says_no(world: World, outside: dict[str, Any], sentence: str) -> None:
    send(world, "keys")
    for name, value in outside.items():
        setattr(world.site.outside, name, value)
    answer = send(world, "bank-feeds")
    assert answer.status == 422
    assert sentence in answer.body
    assert not settings_of(world).bank_feeds


def test_if_xero_says_nothing_bank_feeds_are_on_and_the_page_says_that_nobody_knows(world: World) -> None:
    send(world, "keys")
    world.site.outside.verdict = Verdict.UNKNOWN
    answer = send(world, "bank-feeds")
    assert answer.query == {"saved": "unasked"}
    assert "Xero did not say whether it grants" in world.browser.get(answer.location).body
    assert settings_of(world).bank_feeds


def test_a_form_is_shown_again_filled_after_signing_in(world: World) -> None:
    world.browser.jar.clear()
    form = FORMS["app"] | {"formToken": "old"}
    page = world.browser.post("/portal/set-up/app", form)
    assert page.status == 401
    found = re.search(r'name="entries" value="([^"]+)"', page.body)
    assert found
    again = world.browser.post(
        "/portal/sign-in", {"key": API_KEY, "next": "/portal/set-up/app", "entries": found[1].replace("&amp;", "&")}
    )
    assert 'value="Ledgerly Feeds"' in again.body


def test_an_unknown_step_is_no_page(world: World) -> None:
    assert world.browser.get("/portal/set-up/other").status == 404
