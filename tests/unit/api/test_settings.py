"""Feedlane's own settings and the app's keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedlane.companies import items as company_items
from feedlane.credentials.vault import KeysCheck
from feedlane.feeds import items as feed_items
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from tests.unit.api.conftest import Call
from tests.unit.api.test_feeds_and_holds import connect_account
from tests.worlds.api import World

SETTINGS, CREDENTIALS = "/integrations/gbol/settings", "/integrations/gbol/credentials"


def test_settings_are_shown_with_masked_keys(call: Call) -> None:
    shown = call("GET", SETTINGS).body
    assert (shown["enabled"], shown["access"], shown["connectionLimit"]) == (True, "Continuous", 25)
    assert (shown["clientId"], shown["clientSecret"]) == ("xxxxxxxxxxxxAAAA", "xxxxxxxxxxxxCyeQ")
    assert shown["redirectUri"] == "https://feeds.example.com/oauth/callback"


def test_what_is_given_changes_and_the_rest_stays(call: Call, world: World) -> None:
    changes = {"access": "OneOff", "bankFeeds": False, "appName": "Harbour Feeds", "connectionLimit": 5}
    changed = call("PUT", SETTINGS, changes)
    assert changed.status == 200
    assert (changed.body["access"], changed.body["connectionLimit"], changed.body["enabled"]) == ("OneOff", 5, True)
    assert "offline_access" not in changed.body["scopes"]
    assert world.event_types == ["settings.changed"]
    call("PUT", SETTINGS, {"access": "OneOff"})
    assert world.event_types == ["settings.changed"]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"access": "Sometimes"}, {"access"}),
        ({"access": "OneOff", "bankFeeds": True}, {"access"}),
        ({"access": "OneOff"}, {"access"}),
        ({"connectionLimit": 7}, {"connectionLimit"}),
        ({"connectionLimit": None}, {"connectionLimit"}),
        ({"dailyLimit": 199}, {"dailyLimit"}),
        ({"dailyLimit": 1_000_001}, {"dailyLimit"}),
        ({"dailyLimit": "Starter"}, {"dailyLimit"}),
        ({"dailyLimit": 0, "connectionLimit": 7}, {"dailyLimit", "connectionLimit"}),
        ({"feedConnections": 3}, {"feedConnections"}),
        ({"feedConnections": "2"}, {"feedConnections"}),
        ({"companyUrl": "http://example.com"}, {"companyUrl"}),
        ({"companyUrl": "https://a b"}, {"companyUrl"}),
        ({"partner": True}, {"privacyPolicyUrl", "termsUrl"}),
        ({"appName": "Feeds for Xero"}, {"appName"}),
        ({"enabled": "yes"}, {"enabled"}),
        ({"upsteam": "codat"}, {"upsteam"}),
        ({"dailyLimit": 5000, "bank_feed": True}, {"bank_feed"}),
    ],
)
def test_each_broken_rule_is_named(call: Call, world: World, changes: dict[str, Any], fields: set[str]) -> None:
    refused = call("PUT", SETTINGS, changes)
    assert refused.status == 400
    assert set(refused.invalid_fields) == fields
    assert world.event_types == []


def test_the_daily_limit_is_the_lowest_tiers_until_it_is_set(call: Call, world: World) -> None:
    assert call("GET", SETTINGS).body["dailyLimit"] == 1000
    assert call("PUT", SETTINGS, {"dailyLimit": 5000}).body["dailyLimit"] == 5000
    [event] = [item for key, item in world.table.items.items() if key[0].startswith("EVENT#")]
    assert json.loads(event["payload"]) == {"changed": ["dailyLimit"], "settings": {"dailyLimit": 5000}}


def test_a_partner_has_no_connection_limit(call: Call) -> None:
    pages = {"privacyPolicyUrl": "https://example.com/privacy", "termsUrl": "https://example.com/terms"}
    assert call("PUT", SETTINGS, {"partner": True, **pages}).body["connectionLimit"] is None
    assert call("PUT", SETTINGS, {"partner": True, "connectionLimit": 25}).status == 400
    assert call("GET", SETTINGS).body["connectionLimit"] is None
    assert call("PUT", SETTINGS, {"appName": "Harbour Feeds"}).body["connectionLimit"] is None
    assert call("PUT", SETTINGS, {"partner": False}).body["connectionLimit"] == 25


def test_the_integration_cannot_be_enabled_without_keys(call: Call, world: World) -> None:
    world.store.commit(settings_items.put_settings(Settings(version=settings_items.settings(world.store).version)))
    assert call("PUT", SETTINGS, {"enabled": True}).status == 400


def test_keys_are_stored_by_the_vault_and_shown_by_their_ends(call: Call, world: World) -> None:
    keys = {"clientId": "B" * 32, "clientSecret": "canary-secret-9999"}
    answer = call("PUT", CREDENTIALS, keys)
    assert (answer.body["clientId"], answer.body["clientSecret"]) == ("xxxxxxxxxxxxBBBB", "xxxxxxxxxxxx9999")
    assert world.vault.keys == ("B" * 32, "canary-secret-9999")
    assert "canary-secret" not in str(world.table.items) + answer.text
    assert world.event_types == ["settings.changed"]


def test_keys_that_xero_does_not_know_are_refused(call: Call, world: World) -> None:
    world.vault.check = KeysCheck(ok=False, field="clientSecret", message="Xero does not recognise this secret")
    refused = call("PUT", CREDENTIALS, {"clientId": "B" * 32, "clientSecret": "wrong"})
    assert refused.status == 400
    assert refused.invalid_fields == ["clientSecret"]
    assert settings_items.settings(world.store).client_id == "A" * 32


def test_other_platforms_have_no_settings(call: Call) -> None:
    assert call("GET", "/integrations/hcws/settings").status == 404


def test_what_waited_while_bank_feeds_were_off_is_woken_when_they_are_on_again(
    call: Call, ids: dict[str, str], world: World
) -> None:
    connect_account(call, ids)
    [feed] = feed_items.find_feeds(world.store, company_items.account_feed_ids(world.store, "", 10))
    world.store.commit(feed_items.put_feed(feed.but(recorded_through=1)))
    call("PUT", SETTINGS, {"bankFeeds": False})
    assert world.queues.woken == []
    call("PUT", SETTINGS, {"bankFeeds": True})
    assert world.queues.woken == [feed.id]


def test_keys_rotate_through_a_second_secret_that_is_shown_by_its_end(call: Call, world: World) -> None:
    call("PUT", CREDENTIALS, {"clientId": "B" * 32, "clientSecret": "canary-secret-1111"})
    added = call("PUT", f"{CREDENTIALS}/secondSecret", {"clientSecret": "canary-secret-2222"})
    assert added.status == 200
    assert (added.body["clientSecret"], added.body["secondClientSecret"]) == ("xxxxxxxxxxxx1111", "xxxxxxxxxxxx2222")
    assert call("GET", SETTINGS).body["secondClientSecret"] == "xxxxxxxxxxxx2222"
    dropped = call("DELETE", f"{CREDENTIALS}/firstSecret")
    assert dropped.status == 200
    assert (dropped.body["clientSecret"], dropped.body["secondClientSecret"]) == ("xxxxxxxxxxxx2222", None)
    assert world.vault.keys == ("B" * 32, "canary-secret-2222")
    assert world.event_types == ["settings.changed"] * 3
    assert "canary-secret" not in str(world.table.items) + added.text + dropped.text


def test_a_second_secret_that_xero_does_not_know_is_refused_and_named(call: Call, world: World) -> None:
    world.vault.check = KeysCheck(ok=False, field="clientSecret", message="Xero does not recognise this client secret.")
    refused = call("PUT", f"{CREDENTIALS}/secondSecret", {"clientSecret": "canary-secret-2222"})
    assert refused.status == 400
    assert refused.invalid_fields == ["clientSecret"]
    assert "canary-secret" not in refused.text
    assert settings_items.settings(world.store).second_secret_ending == ""


def test_a_second_secret_needs_a_first(call: Call, world: World) -> None:
    world.store.commit(settings_items.put_settings(Settings(version=settings_items.settings(world.store).version)))
    for method, path, body in (("PUT", "secondSecret", {"clientSecret": "x" * 20}), ("DELETE", "firstSecret", None)):
        assert call(method, f"{CREDENTIALS}/{path}", body).status == 400


def test_there_are_only_two_secrets(call: Call) -> None:
    assert call("DELETE", f"{CREDENTIALS}/thirdSecret").status == 404


PAGES = {"privacyPolicyUrl": "https://example.com/privacy", "termsUrl": "https://example.com/terms"}


@pytest.mark.parametrize(
    ("name", "default", "changed"),
    [
        ("enabled", False, None),
        ("bankFeeds", False, True),
        ("access", "Continuous", "OneOff"),
        ("appName", "", "Harbour Feeds"),
        ("companyUrl", "", "https://example.com"),
        ("redirectUri", "https://feeds.example.com/oauth/callback", "https://feeds.example.com/x/oauth/callback"),
        ("partner", False, None),
        ("privacyPolicyUrl", "", "https://example.com/privacy"),
        ("termsUrl", "", "https://example.com/terms"),
        ("connectionLimit", 25, 5),
        ("gapIsError", False, True),
        ("changedTransactions", "RefuseAmounts", "Warn"),
        ("refusalHoldsFeed", False, True),
        ("syntheticBalances", False, True),
        ("feedConnections", 1, 2),
        ("pkce", True, False),
        ("linkPasswords", False, True),
        ("upstream", "xero", "codat"),
    ],
)
def test_every_setting_has_a_default_and_tells_of_its_change(
    call: Call, world: World, name: str, default: Any, changed: Any
) -> None:
    world.store.commit(settings_items.put_settings(Settings(version=settings_items.settings(world.store).version)))
    assert call("GET", SETTINGS).body[name] == default
    if changed is not None:
        assert call("PUT", SETTINGS, {name: changed}).body[name] == changed
        [event] = [item for key, item in world.table.items.items() if key[0] == "EVENT#app"]
        assert json.loads(event["payload"]) == {"changed": [name], "settings": {name: changed}}


@pytest.mark.parametrize(
    "uri",
    [
        "http://feeds.example.com/oauth/callback",
        "https://feeds.example.com/elsewhere",
        "https://feeds.example.com/oauth/callback?x=1",
        "https://feeds.example.com/oauth/callback#x",
        "https://other.example.com/oauth/callback",
        "https://feeds.example.com.evil.example/oauth/callback",
    ],
)
def test_a_redirect_uri_that_does_not_lead_back_here_is_refused(call: Call, world: World, uri: str) -> None:
    refused = call("PUT", SETTINGS, {"redirectUri": uri})
    assert refused.status == 400
    assert refused.invalid_fields == ["redirectUri"]
    assert settings_items.settings(world.store).redirect_uri == ""


def test_the_deployments_own_redirect_uri_is_no_setting(call: Call, world: World) -> None:
    call("PUT", SETTINGS, {"redirectUri": "https://feeds.example.com/oauth/callback"})
    assert settings_items.settings(world.store).redirect_uri == ""
    assert world.event_types == []


@pytest.mark.parametrize("missing", sorted(PAGES))
def test_partner_status_needs_both_pages_before(call: Call, missing: str) -> None:
    call("PUT", SETTINGS, {name: url for name, url in PAGES.items() if name != missing})
    refused = call("PUT", SETTINGS, {"partner": True})
    assert refused.invalid_fields == [missing]
    assert call("PUT", SETTINGS, {missing: PAGES[missing]}).status == 200
    assert call("PUT", SETTINGS, {"partner": True}).body["partner"] is True
    assert call("PUT", SETTINGS, {missing: ""}).status == 400


@pytest.mark.parametrize("limit", [5, 25, 50, 1000, 10000])
def test_every_tier_can_be_chosen(call: Call, limit: int) -> None:
    assert call("PUT", SETTINGS, {"connectionLimit": limit}).body["connectionLimit"] == limit
