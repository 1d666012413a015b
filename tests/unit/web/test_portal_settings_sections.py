"""Each section of the settings is saved on its own, whatever the others are at that moment."""

from __future__ import annotations

import re
from typing import Any

import pytest

from feedlane.credentials.authorization import Verdict
from feedlane.errors import Unavailable
from feedlane.feeds.rules import ChangedTransactions
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.store import keys
from feedlane.store.table import ConditionFailed, Write
from feedlane.web.portal.settings.settings_sections import SECTIONS
from tests.fakes.browser import PageResponse
from tests.unit.web.portal import signed_in
from tests.worlds.web import World

# One change of each section, and another setting of it.
CHANGES = {
    "app": ({"enabled": "yes", "app_name": "Harbour Feeds"}, "app_name", "Harbour Feeds"),
    "access": ({"bank_feeds": "yes", "daily_limit": "5000"}, "daily_limit", 5000),
    "sending": ({"changed_transactions": "Warn", "gap_is_error": "yes"}, "changed_transactions", "Warn"),
    "links": ({"link_passwords": "yes"}, "link_passwords", True),
    "codat": ({"upstream": "codat"}, "upstream", "codat"),
}


@pytest.fixture
def world() -> World:
    return signed_in()


def save(world: World, section: str, form: dict[str, str]) -> PageResponse:
    token = world.form_token("/portal/settings")
    return world.browser.post(f"/portal/settings/{section}", {"formToken": token} | form)


def settings_of(world: World) -> Settings:
    return settings_items.settings(world.store)


def change(world: World, **fields: Any) -> None:
    settings_changes.change_settings(world.ports, world.now, fields)


@pytest.mark.parametrize("section", CHANGES)
def test_a_section_changes_its_own_fields_and_no_others(world: World, section: str) -> None:
    unusual: dict[str, Any] = {
        "app_name": "Ledgerly Feeds", "company_url": "https://ledgerly.example", "daily_limit": 3000,
        "gap_is_error": True, "refusal_holds_feed": True, "synthetic_balances": True, "feed_connections": 2,
        "changed_transactions": ChangedTransactions.REFUSE, "link_passwords": True, "pkce": False, "partner": True,
        "privacy_policy_url": "https://ledgerly.example/p", "terms_url": "https://ledgerly.example/t",
    }  # fmt: skip
    change(world, **unusual)
    before = settings_of(world)
    form, field, value = CHANGES[section]
    assert save(world, section, form).path == f"/portal/settings/{section}"
    after = settings_of(world)
    assert getattr(after, field) == value
    changed = {name for name in Settings.model_fields if getattr(after, name) != getattr(before, name)}
    # A partner has no connection limit, and who is none has the default.
    assert changed <= SECTIONS[section].fields | {"version"}


@pytest.mark.parametrize(("section", "words"), [("sending", "The settings could"), ("app", "The keys could")])
def test_a_table_that_does_not_answer_is_told_in_the_words_of_the_section(
    world: World, section: str, words: str
) -> None:
    def away(*_: Write) -> None:
        raise Unavailable("The table is not available")

    token, world.table.commit = world.form_token("/portal/settings"), away  # type: ignore[method-assign]
    response = world.browser.post(f"/portal/settings/{section}", {"formToken": token, "gap_is_error": "yes"})
    assert (response.status, words in response.body) == (503, True)


@pytest.mark.parametrize("path", ["/portal/settings/access", "/portal/set-up/partner"])
def test_who_is_overtaken_each_time_keeps_what_was_entered_and_reads_why(world: World, path: str) -> None:
    """It said that Xero did not respond, on a page without the form."""

    def overtaken(*_: Write) -> None:
        raise ConditionFailed([keys.SETTINGS])

    token, world.table.commit = world.form_token("/portal/settings"), overtaken  # type: ignore[method-assign]
    address = "https://harbour.example/privacy"
    response = world.browser.post(path, {"formToken": token, "privacy_policy_url": address})
    assert (response.status, "Others are changing the same things" in response.body) == (409, True)
    assert f'value="{address}"' in response.body


def test_two_operators_who_save_different_sections_at_once_both_do(world: World) -> None:
    """The second one's commit comes between the first one's reading and writing."""
    token, commit = world.form_token("/portal/settings"), world.table.commit

    def overtaken(*writes: Write) -> None:
        world.table.commit = commit  # type: ignore[method-assign]
        world.browser.post("/portal/settings/links", {"formToken": token, "link_passwords": "yes", "pkce": "yes"})
        commit(*writes)

    world.table.commit = overtaken  # type: ignore[method-assign]
    form = {"formToken": token, "gap_is_error": "yes"}
    assert world.browser.post("/portal/settings/sending", form).status == 303
    assert (settings_of(world).gap_is_error, settings_of(world).link_passwords) == (True, True)


def test_a_page_that_was_open_while_another_section_was_saved_resets_nothing(world: World) -> None:
    token = world.form_token("/portal/settings/sending")
    change(world, link_passwords=True, app_name="Harbour Feeds")
    world.browser.post("/portal/settings/sending", {"formToken": token, "gap_is_error": "yes"})
    after = settings_of(world)
    assert (after.gap_is_error, after.link_passwords, after.app_name) == (True, True, "Harbour Feeds")


def as_shown(world: World, section: str) -> dict[str, str]:
    """What the browser would send back if nobody touched the form."""
    body = world.browser.get(f"/portal/settings/{section}").body
    inputs = [dict(re.findall(r'([a-z]+)="([^"]*)"', tag)) for tag in re.findall(r"<input ([^>]*)>", body)]
    checked = set(re.findall(r'name="([a-z_]+)" value="yes"[^>]*checked', body))
    return {
        one["name"]: one.get("value", "")
        for one in inputs
        if "name" in one and (one.get("type") != "checkbox" or one["name"] in checked)
    }


def test_a_page_that_was_open_while_its_own_section_was_saved_changes_only_what_was_touched(world: World) -> None:
    """A secret entered in a page from before the integration was enabled must not switch it off again."""
    change(world, enabled=False, app_name="Ledgerly Feeds")
    stale = as_shown(world, "app") | {"company_url": "https://ledgerly.example"}
    change(world, enabled=True, app_name="Harbour Feeds")
    assert world.browser.post("/portal/settings/app", stale).path == "/portal/settings/app"
    settings = settings_of(world)
    assert (settings.enabled, settings.app_name) == (True, "Harbour Feeds")
    assert settings.company_url == "https://ledgerly.example"


def test_a_form_that_came_back_with_errors_still_knows_what_it_showed(world: World) -> None:
    change(world, link_passwords=False, gap_is_error=True)
    stale = as_shown(world, "sending") | {"changed_transactions": "Never"}
    change(world, gap_is_error=False)
    refused = world.browser.post("/portal/settings/sending", stale)
    assert refused.status == 422
    assert '<input type="hidden" name="was.gap_is_error" value="yes">' in refused.body
    world.browser.post("/portal/settings/sending", stale | {"changed_transactions": "Warn"})
    assert (settings_of(world).gap_is_error, settings_of(world).changed_transactions) == (False, "Warn")


def test_what_is_switched_off_in_the_form_is_switched_off(world: World) -> None:
    change(world, gap_is_error=True)
    form = as_shown(world, "sending")
    del form["gap_is_error"]
    world.browser.post("/portal/settings/sending", form)
    assert not settings_of(world).gap_is_error


def test_the_heading_is_the_navigations_word_and_each_section_says_how_it_stands(world: World) -> None:
    for section in SECTIONS.values():
        body = world.browser.get(section.path).body
        assert "<h1>Settings</h1>" in body
        assert f'<h2 id="section">{section.title}</h2>' in body
        assert f"<title>{section.title} · Settings" in body
        assert re.search(rf'<a href="{section.path}" aria-current="page">{section.title}<small>', body)
    body = world.browser.get("/portal/settings").body
    assert "Continuous, bank feeds on<" in body
    assert '<h2 id="section">Xero app</h2>' in body
    assert world.browser.get("/portal/settings/elsewhere").status == 404


def test_what_another_section_is_to_blame_for_is_said_with_where_it_is(world: World) -> None:
    """The deployment has got another address since."""
    stored = settings_of(world).but(redirect_uri="https://former.example.com/oauth/callback")
    world.store.commit(settings_items.put_settings(stored))
    body = save(world, "links", {"link_passwords": "yes"}).body
    assert "Redirect URI must be on Link&#39;s host, feeds.example.com. It is under “Xero app”." in body
    assert 'href="#redirect_uri"' not in body


def test_a_form_is_shown_again_filled_after_signing_in_and_a_button_leads_back_to_its_section(world: World) -> None:
    world.browser.jar.clear()
    form = {"terms_url": "not an address", "formToken": "of-the-ended-session"}
    [entries] = re.findall(r'name="entries" value="([^"]*)"', world.browser.post("/portal/settings/access", form).body)
    answer = world.browser.post("/portal/settings/codat/secret", {"which": "first"})
    assert answer.query == {"next": "/portal/settings/codat"}
    sign_in = {"key": "fl_unit-test-key", "next": "/portal/settings/access", "entries": entries.replace("&amp;", "&")}
    body = world.browser.post("/portal/sign-in", sign_in).body
    assert 'value="not an address"' in body
    assert "Nothing has been saved yet" in body


# bank feeds


def test_xero_is_asked_before_bank_feeds_are_switched_on_as_in_the_guide(world: World) -> None:
    change(world, bank_feeds=False)
    assert save(world, "access", {"bank_feeds": "yes"}).query == {"saved": "granted"}
    assert settings_of(world).bank_feeds
    _, _, scopes = world.site.outside.asked[-1]
    assert "bankfeeds" in scopes
    assert "Xero grants your app their scope" in world.browser.get("/portal/settings/access?saved=granted").body


@pytest.mark.parametrize(
    ("outside", "sentence"),
    [
        ({"refused": {"bankfeeds"}}, "Xero does not grant your app the scope bankfeeds. Ask Xero"),
        ({"refused": {"openid"}}, "the scopes that every connection needs"),
        ({"verdict": Verdict.WRONG_REDIRECT}, "The redirect URI is not registered"),
        ({"verdict": Verdict.WRONG_CLIENT}, "Xero does not know the client id"),
    ],
)
def test_bank_feeds_stay_off_and_nothing_is_saved_if_xero_says_no(
    world: World, outside: dict[str, Any], sentence: str
) -> None:
    change(world, bank_feeds=False)
    before = settings_of(world)
    for name, value in outside.items():
        setattr(world.site.outside, name, value)
    answer = save(world, "access", {"bank_feeds": "yes", "daily_limit": "5000"})
    assert answer.status == 422
    assert sentence in answer.body
    assert '<a href="#bank_feeds">' in answer.body
    assert 'value="5000"' in answer.body
    assert settings_of(world) == before


def test_if_xero_says_nothing_bank_feeds_are_on_and_the_page_says_so(world: World) -> None:
    change(world, bank_feeds=False)
    world.site.outside.verdict = Verdict.UNKNOWN
    assert save(world, "access", {"bank_feeds": "yes"}).query == {"saved": "unasked"}
    assert settings_of(world).bank_feeds
    assert "Xero did not say whether it grants" in world.browser.get("/portal/settings/access?saved=unasked").body


def test_xero_is_not_asked_again_for_what_is_on_nor_where_there_is_only_codat(world: World) -> None:
    assert save(world, "access", {"bank_feeds": "yes", "daily_limit": "5000"}).query == {"saved": "yes"}
    change(world, bank_feeds=False)
    assert save(world, "access", {"daily_limit": "4000"}).query == {"saved": "yes"}
    settings = settings_of(world)
    codat = settings.codat.but(ending="-one", checked=True)
    world.store.commit(settings_items.put_settings(settings.but(client_id="", client_secret_ending="", codat=codat)))
    assert save(world, "access", {"bank_feeds": "yes"}).query == {"saved": "yes"}
    assert settings_of(world).bank_feeds
    assert world.site.outside.asked == []


def test_without_keys_bank_feeds_say_where_to_enter_them(world: World) -> None:
    world.store.commit(settings_items.put_settings(Settings(version=settings_of(world).version)))
    assert "Enter the keys under “Xero app”." in save(world, "access", {"bank_feeds": "yes"}).body
