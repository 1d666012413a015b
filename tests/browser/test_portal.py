"""The operator's pages in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, expect

from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests import builders
from tests.browser import keyboard
from tests.browser.world import API_KEY, World


def _sign_in(link: World, page: Page) -> None:
    page.goto(f"{link.url}/portal")
    page.get_by_label("API key").fill(API_KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def _open_section(page: Page, title: str) -> None:
    page.get_by_role("navigation", name="Settings").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=2, name=title, exact=True)).to_be_visible()


def _open_profile(page: Page) -> None:
    """From the menu that has the name of the key."""
    page.get_by_text("Operations", exact=True).click()
    page.get_by_role("link", name="Profile").click()


def _hold(link: World, account_id: str = "main", **fields: Any) -> None:
    problem = Problem(
        type="invalid-organisation-bank-feeds",
        title="Invalid Organisation",
        status=403,
        detail="The organisation does not support automated bank feeds.",
    )
    hold = builders.hold(
        Scope.FEED,
        f"{link.connection.id}/{account_id}",
        reason="x",
        problem=problem,
        since=datetime.now(UTC),
        company_id=link.connection.company_id,
        **fields,
    )
    link.site.store.commit(*hold_items.add_hold(hold))


def test_an_operator_sees_why_a_feed_is_held_and_releases_it_by_keyboard(link: World, page: Page) -> None:
    _hold(link)
    _sign_in(link, page)
    expect(page.get_by_role("region", name="What needs you")).to_contain_text("1 account held")
    keyboard.press(page, page.get_by_role("link", name="See what to do"))
    page.get_by_role("link", name="Holds").first.click()
    expect(page.locator("#hold-list")).to_contain_text("does not support automated bank feeds")
    keyboard.press(page, page.get_by_role("button", name="Release the hold"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Release 1 hold?")
    keyboard.press(page, page.get_by_role("button", name="Release 1 hold"))
    expect(page.get_by_role("status")).to_contain_text("1 hold released")
    expect(page.get_by_role("region", name="Released lately")).to_contain_text("Harbour Bakery Ltd")
    assert hold_items.holds(link.site.store) == []


def test_a_hold_that_comes_is_in_the_list_and_in_the_navigation_without_a_reload(link: World, page: Page) -> None:
    _hold(link, id="hold-1", releasing=True)
    _sign_in(link, page)
    page.goto(f"{link.url}/portal/holds")
    expect(page.locator("#held-bar")).to_have_text("1")
    _hold(link, "savings", id="hold-2")
    expect(page.locator("#held-bar")).to_have_text("2")
    expect(page.locator("#hold-list")).to_contain_text("2 accounts")


def test_keys_are_checked_with_xero_when_they_are_saved(link: World, page: Page) -> None:
    _sign_in(link, page)
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Client ID").fill(DEFAULT_CLIENT_ID)
    page.get_by_label("Client secret").fill("a-secret-that-xero-does-not-know-0000000000")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("ecret")
    page.get_by_label("Client ID").fill(DEFAULT_CLIENT_ID)
    page.get_by_label("Client secret").fill(DEFAULT_CLIENT_SECRET)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    _open_section(page, "Access and partner status")
    page.get_by_label("Allow one-off data sync").check()
    page.get_by_role("switch", name="Enable bank feeds").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    settings = settings_items.settings(link.site.store)
    assert (settings.access, settings.bank_feeds, settings.keys_checked) == ("OneOff", False, True)


def test_a_new_secret_takes_over_without_an_outage(link: World, page: Page) -> None:
    new_secret = "the-new-secret-of-the-app-00000000000000000"
    link.simulator.state.app.client_secrets.append(new_secret)
    _sign_in(link, page)
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Second secret").fill("a-secret-that-xero-does-not-know-0000000000")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Second secret: Xero does not recognise this client secret")
    page.get_by_label("Second secret").fill(new_secret)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    keyboard.press(page, page.get_by_role("button", name="Remove the second"))
    expect(page.get_by_role("status")).to_contain_text("removed")
    page.get_by_label("Second secret").fill(new_secret)
    page.get_by_role("button", name="Save").click()
    link.simulator.state.app.client_secrets.remove(DEFAULT_CLIENT_SECRET)
    page.get_by_role("button", name="Remove the second").click()
    expect(page.get_by_role("alert")).to_contain_text("Xero does not recognise the other secret")
    page.get_by_role("button", name="Remove the first").click()
    expect(page.get_by_role("status")).to_contain_text("removed")
    assert settings_items.settings(link.site.store).client_secret_ending == new_secret[-4:]
    expect(page.locator("body")).not_to_contain_text(new_secret)


def test_partner_and_profile_are_set_in_the_portal(link: World, page: Page) -> None:
    _sign_in(link, page)
    page.get_by_role("link", name="Settings").click()
    _open_section(page, "Access and partner status")
    page.get_by_role("switch", name="Xero app partner").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Privacy policy is required for partners.")
    page.get_by_label("Privacy policy").fill("https://ledgerly.example/privacy")
    page.get_by_label("Terms").fill("https://ledgerly.example/terms")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    expect(page.get_by_text("Xero app partners have no limit.")).to_be_visible()
    assert settings_items.settings(link.site.store).partner
    _open_section(page, "Xero app")
    page.get_by_label("App name").fill("Ledgerly Feeds")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    settings = settings_items.settings(link.site.store)
    assert (settings.partner, settings.app_name) == (True, "Ledgerly Feeds")
    _open_profile(page)
    page.get_by_label("Name", exact=True).fill("Ledgerly Bank")
    page.get_by_label("Web pages that may call the API").fill(
        "https://app.ledgerly.example\nhttps://b.ledgerly.example"
    )
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    profile = settings_items.profile(link.site.store)
    assert (profile.name, len(profile.allowed_origins)) == ("Ledgerly Bank", 2)
