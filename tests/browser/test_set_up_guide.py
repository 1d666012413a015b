"""A newcomer on a deployed stack: from nothing set up to a delivered transaction, in the portal, in Link and at Xero.

`make newcomer` gives it what `make up EMPTY=1` gives: a deployment of its own. `make test` has no time for that: there,
the stack of all tests is emptied first, and what it was is put back at the end. In between, only pages are touched.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from feedlane.aws.dynamodb import DynamoDBTable
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Profile, Settings
from feedlane.store import keys
from feedlane.store.store import Store
from local import system
from local.instance import Instance
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.browser.accessibility import faults

# A function may start cold: then it loads its packages first.
PATIENCE = 30_000
ORGANISATION = "Newcomer Bakery"


@dataclass(frozen=True)
class Newcomer:
    """What `make up EMPTY=1` prints."""

    portal_url: str
    api_key: str
    simulator_url: str
    store: Store


@pytest.fixture
def newcomer(request: pytest.FixtureRequest) -> Iterator[Newcomer]:
    has_own = bool(os.environ.get("OWN_DEPLOYMENT"))
    with _own_deployment() if has_own else _emptied(request.getfixturevalue("instance")) as instance:
        described = instance.read_description()
        yield Newcomer(described["portalUrl"], described["apiKey"], described["simulatorUrl"], _store_of(instance))


def _store_of(instance: Instance) -> Store:
    return Store(DynamoDBTable(instance.client("dynamodb"), instance.outputs()["TableName"]))


@contextmanager
def _own_deployment() -> Iterator[Instance]:
    system.stop(Instance.named("newcomer"))
    own = Instance.named("newcomer")
    try:
        system.start(own, empty=True)
        yield own
    finally:
        system.stop(own)


@contextmanager
def _emptied(instance: Instance) -> Iterator[Instance]:
    store = _store_of(instance)
    settings, profile = settings_items.settings(store), settings_items.profile(store)
    app = control(instance, "GET", "app")
    store.commit(
        settings_items.put_settings(Settings(version=settings.version)),
        settings_items.put_profile(Profile(version=profile.version)),
    )
    store.table.delete_many([keys.GUIDE, keys.SELF_TEST, keys.TRIAL])
    # As a new app is at Xero: bank feeds are not approved yet.
    scopes = [one for one in app["allowedScopes"] if one != "bankfeeds"]
    control(instance, "PUT", "app", {"allowedScopes": scopes, "bankFeedsEnabled": False})
    control(instance, "PUT", "consent", {"mode": "page", "tenantIds": []})
    try:
        yield instance
    finally:
        kept = {name: app[name] for name in ("allowedScopes", "redirectUris", "bankFeedsEnabled", "connectionLimit")}
        control(instance, "PUT", "app", kept)
        control(instance, "PUT", "consent", {"mode": "auto", "tenantIds": []})
        store.commit(
            settings_items.put_settings(settings.but(version=settings_items.settings(store).version)),
            settings_items.put_profile(profile.but(version=settings_items.profile(store).version)),
        )


def test_from_an_empty_stack_to_a_delivered_transaction(newcomer: Newcomer, page: Page, browser: Browser) -> None:
    page.set_default_timeout(PATIENCE)
    xero = browser.new_context().new_page()
    xero.set_default_timeout(PATIENCE)
    _as_new_at_xero(xero, newcomer)

    # The first page is the guide
    page.goto(newcomer.portal_url)
    page.get_by_label("API key").fill(newcomer.api_key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set-up", timeout=PATIENCE)
    _is_done(page, 0)

    # 1: the app at Xero gets the redirect URI that the guide shows
    page.get_by_role("link", name="Next: Create the app").click()
    redirect_uri = page.locator("#step-app code.copied").inner_text()
    xero.goto(f"{newcomer.simulator_url}/developer/app")
    xero.get_by_label("Redirect URI").fill(redirect_uri)
    xero.get_by_role("button", name="Add").click()
    page.get_by_label("App name").fill("Newcomer Feeds")
    page.get_by_label("Company URL").fill("https://newcomer.example")
    _save(page, "app", 1)

    # 2: the keys, first with a slip
    page.get_by_label("Client ID").fill(DEFAULT_CLIENT_ID)
    page.get_by_label("Client secret").fill(DEFAULT_CLIENT_SECRET + "x")
    page.locator("#step-keys").get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("Copy both once more from Configuration")
    page.get_by_label("Client secret").fill(DEFAULT_CLIENT_SECRET)
    _save(page, "keys", 2)

    # 3 and 4
    _save(page, "access", 3)
    page.get_by_label("Name", exact=True).fill("Newcomer")
    page.get_by_label("Support address").fill("help@newcomer.example")
    _save(page, "face", 4)

    # 5: Xero refuses bank feeds until it has approved the app for them
    page.get_by_label("Enable bank feeds").check()
    page.locator("#step-bank-feeds").get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("Xero does not grant your app the scope bankfeeds")
    page.get_by_role("link", name="Set-up").last.click()
    _is_done(page, 4)
    page.goto(f"{newcomer.portal_url}/set-up/bank-feeds")
    xero.get_by_label("Bank feeds: approved by Xero").check()
    xero.locator("#access").get_by_role("button", name="Save").click()
    page.get_by_label("Enable bank feeds").check()
    _save(page, "bank-feeds", 5)

    # 6 and 7, and the test
    page.get_by_label("Connection limit").select_option("25")
    _save(page, "partner", 6)
    page.get_by_label("Enabled").check()
    _save(page, "enable", 6)
    page.get_by_role("button", name="Test your integration").click()
    expect(page.get_by_role("heading", name="Nothing failed")).to_be_visible(timeout=PATIENCE)
    assert faults(page) == []
    page.get_by_role("link", name="Set-up").last.click()
    _is_done(page, 7)

    # A test company goes the whole way
    page.get_by_role("link", name="Try it with a test company").click()
    page.get_by_role("button", name="Make company").click()
    link = page.locator("code.copied").inner_text()
    _connect_as_the_customer(xero, newcomer, link)
    page.get_by_role("button", name="Send the transaction").click()
    expect(page.locator("#trial li").last).to_contain_text("done", timeout=PATIENCE)
    assert faults(page) == []
    xero.goto(f"{newcomer.simulator_url}/developer/received")
    expect(xero.locator("main")).to_contain_text(ORGANISATION)

    # And leaves nothing behind
    page.get_by_role("button", name="Remove the test company").click()
    expect(page.get_by_role("status")).to_contain_text("The test company is removed", timeout=PATIENCE)
    xero.context.close()


def test_the_settings_are_saved_section_by_section(newcomer: Newcomer, page: Page, instance: Instance) -> None:
    page.set_default_timeout(PATIENCE)
    page.goto(f"{newcomer.portal_url}/settings")
    page.get_by_label("API key").fill(newcomer.api_key)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Client ID").fill(DEFAULT_CLIENT_ID)
    page.get_by_label("Client secret").fill(DEFAULT_CLIENT_SECRET)
    page.get_by_label("App name").fill("Newcomer Feeds")
    page.get_by_role("switch", name="Enabled").check()
    _save_section(page, "Saved.")

    # Xero is asked, as in the guide
    _open_section(page, "Access and partner status")
    page.get_by_role("switch", name="Enable bank feeds").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Xero does not grant your app the scope bankfeeds")
    scopes = control(instance, "GET", "app")["allowedScopes"]
    control(instance, "PUT", "app", {"allowedScopes": [*scopes, "bankfeeds"], "bankFeedsEnabled": True})
    _save_section(page, "Saved. Bank feeds are on: Xero grants your app their scope.")

    _open_section(page, "Sending")
    page.get_by_role("switch", name="Refuse pushes with gaps").check()
    _save_section(page, "Saved.")
    _open_section(page, "Customers’ links")
    page.get_by_role("switch", name="One-time passwords in links").check()
    _save_section(page, "Saved.")
    _open_section(page, "Codat")
    _save_section(page, "Saved.")
    assert faults(page) == []

    saved = settings_items.settings(newcomer.store)
    assert (saved.enabled, saved.app_name, saved.client_id) == (True, "Newcomer Feeds", DEFAULT_CLIENT_ID)
    assert (saved.bank_feeds, saved.gap_is_error, saved.link_passwords) == (True, True, True)


def control(instance: Instance, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    url = f"{instance.simulator_url}/_simulator/{path}"
    answer: dict[str, Any] = httpx.request(method, url, json=body, trust_env=False).raise_for_status().json()
    return answer


def _open_section(page: Page, title: str) -> None:
    page.get_by_role("navigation", name="Settings").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=2, name=title, exact=True)).to_be_visible(timeout=PATIENCE)


def _save_section(page: Page, said: str) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text(said, timeout=PATIENCE)


def _as_new_at_xero(xero: Page, newcomer: Newcomer) -> None:
    """Xero has not approved the app for bank feeds yet, and customers decide on the consent page."""
    xero.goto(f"{newcomer.simulator_url}/developer/app")
    xero.get_by_label("Bank feeds: approved by Xero").uncheck()
    xero.locator("#access").get_by_role("button", name="Save").click()
    xero.goto(f"{newcomer.simulator_url}/developer/behaviour")
    xero.get_by_label("A consent is decided").select_option("page")
    xero.locator("form[action='/developer/behaviour/consent']").get_by_role("button").click()


def _save(page: Page, step: str, done: int) -> None:
    """Sends the form of the open step. So many steps are done then, and the next one is open."""
    page.locator(f"#step-{step} button[type=submit]").first.click()
    _is_done(page, done)


def _is_done(page: Page, count: int) -> None:
    expect(page.get_by_role("heading", name=f"{count} of 7 done")).to_be_visible(timeout=PATIENCE)


def _connect_as_the_customer(xero: Page, newcomer: Newcomer, link: str) -> None:
    xero.goto(f"{newcomer.simulator_url}/developer/organisations")
    xero.locator("#add").get_by_label("Name", exact=True).fill(ORGANISATION)
    xero.get_by_role("button", name="Create the organisation").click()
    xero.goto(link)
    xero.get_by_label(ORGANISATION).first.check()
    xero.get_by_role("button", name="Allow access").click()
    expect(xero.get_by_role("heading", level=1)).to_have_text("Manage connected accounts", timeout=PATIENCE)
    xero.get_by_label("Xero bank account").select_option("new")
    xero.get_by_role("button", name="Connect account").click()
    expect(xero.get_by_role("status").first).to_contain_text("Done", timeout=PATIENCE)
