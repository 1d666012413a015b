"""A consent without bank feeds is linked, is reported at once, and leads to another consent."""

from __future__ import annotations

import pytest

from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import APP_SUBJECT, Scope
from tests.fakes.consent import ACME
from tests.unit.web.held import hold_connection
from tests.worlds.web import API_KEY, World

WITHOUT = ("openid", "accounting.settings.read", "offline_access")


@pytest.fixture
def world() -> World:
    world = World()
    world.add_account()
    world.site.vault.scopes = WITHOUT
    return world


def test_the_page_after_the_consent_says_that_bank_feeds_are_missing_and_leads_to_another(world: World) -> None:
    world.set_profile(redirect_url="https://app.example.com/done?s={statusCode}&t={statusText}")
    response = world.link()
    assert response.status == 403
    assert "Bank feeds were not allowed" in response.body
    assert f"{world.base()}/start?link.reconnect=1" in response.body
    assert "https://app.example.com/done?s=500&amp;t=Bank%20feeds%20were%20not%20authorised" in response.body


def test_the_connection_is_linked_needs_its_customer_and_is_told_of(world: World) -> None:
    world.link()
    lacking = world.current()
    assert lacking.is_linked
    assert lacking.needs_reconnection
    [error] = lacking.errors
    assert (error.reason, error.status_code, error.resolved_on) == ("missing-scope", "403", None)
    assert world.event_types == ["connection.connected", "connection.needsReconnection"]
    [payload] = world.payloads("connection.needsReconnection")
    assert payload["reason"] == "missing-scope"
    assert payload["connection"]["needsReconnection"] is True


def test_another_consent_without_bank_feeds_tells_nothing_new_and_one_with_them_recovers_once(world: World) -> None:
    world.link()
    world.call_back(world.start(), "code-2")
    world.site.vault.scopes = (*WITHOUT, "bankfeeds")
    assert world.call_back(world.start(), "code-3").path == f"{world.base()}/accounts"
    assert not world.current().needs_reconnection
    assert world.event_types == [
        "connection.connected",
        "connection.needsReconnection",
        "connection.reconnected",
        "connection.reconnected",
        "connection.recovered",
    ]


def test_a_hold_for_the_missing_scope_is_not_released_by_a_consent_that_lacks_it_again(world: World) -> None:
    world.link()
    problem = Problem(type="missing-scope", title="Missing scope", status=403)
    hold = hold_connection(world, problem)
    world.call_back(world.start(), "code-2")
    assert hold_items.holds(world.store) == [hold]
    world.site.vault.scopes = (*WITHOUT, "bankfeeds")
    world.call_back(world.start(), "code-3")
    assert hold_items.holds(world.store) == []


def test_the_end_of_link_does_not_say_that_all_is_well(world: World) -> None:
    world.link()
    seen = world.browser.get(f"{world.base()}/finish")
    assert "Please connect to Xero again" in seen.body
    assert f"{world.base()}/start?link.reconnect=1" in seen.body


def test_while_bank_feeds_are_off_nobody_misses_them() -> None:
    world = World(bank_feeds=False)
    world.site.vault.scopes = WITHOUT
    assert world.link().path == f"{world.base()}/finish"
    assert world.event_types == ["connection.connected"]


@pytest.mark.parametrize(
    ("scope", "subject", "reason", "words"),
    [
        (Scope.TENANT, ACME.tenant_id, "organisation-without-bank-feeds", "cannot have bank feeds on its current plan"),
        (Scope.TENANT, ACME.tenant_id, "user-role-too-low", "Xero user role cannot set up bank feeds"),
        (Scope.APP, APP_SUBJECT, "app-not-enabled", "has not yet enabled bank feeds for this app"),
    ],
)
def test_other_causes_are_told_apart_on_the_page_after_the_consent_and_in_the_portal(
    world: World, scope: Scope, subject: str, reason: str, words: str
) -> None:
    world.site.vault.scopes = (*WITHOUT, "bankfeeds")
    world.link()
    problem = Problem(type="x", title="Refused", status=403, detail="In Xero's words.")
    world.add_hold(scope, subject, reason=reason, problem=problem)
    assert words in world.browser.get(f"{world.base()}/accounts").body
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    company = world.browser.get(f"/portal/companies/{world.connection.company_id}").body
    assert reason in company
    assert "needs reconnection" not in company


def test_the_portal_shows_who_needs_to_reconnect_and_why(world: World) -> None:
    world.link()
    world.browser.post("/portal/sign-in", {"key": API_KEY})
    assert "needs reconnection" in world.browser.get("/portal/companies").body
    company = world.browser.get(f"/portal/companies/{world.connection.company_id}").body
    assert "needs reconnection" in company
    assert "missing-scope" in company
