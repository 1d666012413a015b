"""The customer's whole journey in a real browser: start, consent at Xero, mapping, finish."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, Page, expect

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.ids import new_secret
from feedlane.link import passwords as link_passwords
from feedlane.settings import items as settings_items
from tests.browser import keyboard
from tests.browser.accessibility import faults
from tests.browser.world import World


def _consent(page: Page, *organisations: str) -> None:
    for name in organisations:
        page.get_by_label(name).check()
    page.get_by_role("button", name="Allow access").click()


def _days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


def test_the_road_with_the_keyboard_alone(link: World, page: Page) -> None:
    page.goto(f"{link.start}?journey=onboarding")
    keyboard.press(page, page.get_by_label("Harbour Bakery Ltd"), "Space")
    keyboard.press(page, page.get_by_role("button", name="Allow access"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Manage connected accounts")
    keyboard.press(page, page.get_by_role("checkbox", name="Connect Savings account"), "Space")
    keyboard.choose(page, page.get_by_label("Xero bank account for Main account"), "Business C")
    keyboard.press(page, page.get_by_role("button", name="Connect accounts"))
    expect(page.get_by_role("status").first).to_contain_text("Done")
    expect(page.get_by_role("row", name="Main account – 1234")).to_contain_text("£159,000.00")
    keyboard.press(page, page.get_by_role("link", name="Finish"))
    expect(page).to_have_url(f"{link.url}/platform/onboarding?status=200&error=")
    assert link.current_connection().status is ConnectionStatus.LINKED
    assert company_items.source_account(link.site.store, link.connection.id, "main").mapping is not None


def test_enter_in_a_field_connects(link: World, page: Page) -> None:
    page.goto(link.start)
    _consent(page, "Harbour Bakery Ltd")
    page.locator("#start-1").fill(_days_ago(60))
    page.locator("#start-1").press("Enter")
    expect(page).to_have_url(f"{link.start.removesuffix('/start')}/accounts?done=connected")


def test_the_start_date_follows_the_chosen_account_until_one_is_entered(link: World, page: Page) -> None:
    page.goto(link.start)
    _consent(page, "Harbour Bakery Ltd")
    start, target = page.locator("#start-1"), page.locator("#target-1")
    earliest, latest = start.get_attribute("min") or "", start.get_attribute("max") or ""
    target.select_option("new")
    expect(start).to_have_value(earliest)
    target.select_option(label="Business Current Account – 9911")
    expect(start).to_have_value(latest)
    start.fill(_days_ago(3))
    target.select_option("new")
    expect(start).to_have_value(_days_ago(3))


def test_link_speaks_french_from_the_start_to_the_end(link: World, page: Page) -> None:
    page.goto(f"{link.url}/link/company/{link.connection.company_id}?lang=fr")
    expect(page.get_by_role("heading", level=1)).to_have_text("Connecter Harbour Bakery Ltd à Xero")
    assert faults(page) == []
    page.get_by_role("link", name="Se connecter à Xero").click()
    _consent(page, "Harbour Bakery Ltd")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gérer les comptes connectés")
    assert page.locator("html").get_attribute("lang") == "fr"
    assert faults(page) == []
    page.get_by_role("button", name="Connecter les comptes").click()
    expect(page.get_by_role("status").first).to_contain_text("C’est fait")
    assert faults(page) == []
    page.get_by_role("link", name="Terminer").click()
    expect(page).to_have_url(f"{link.url}/platform/?status=200&error=")
    page.goto(f"{link.url}/link/nowhere?lang=fr")
    assert page.locator("html").get_attribute("lang") == "fr"
    assert faults(page) == []


def test_the_customer_disconnects_from_xero_and_reconnects(link: World, page: Page) -> None:
    page.goto(link.start)
    _consent(page, "Harbour Bakery Ltd")
    page.get_by_role("button", name="Connect accounts").click()
    page.get_by_role("link", name="Disconnect from Xero").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Disconnect from Xero?")
    assert faults(page) == []
    page.get_by_role("button", name="Disconnect from Xero").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Disconnected from Xero")
    assert faults(page) == []
    assert link.current_connection().status is ConnectionStatus.UNLINKED
    page.get_by_role("link", name="Reconnect to Xero").click()
    _consent(page, "Harbour Bakery Ltd")
    expect(page.get_by_role("heading", level=1)).to_have_text("Manage connected accounts")
    assert link.current_connection().is_linked
    assert company_items.source_account(link.site.store, link.connection.id, "main").mapping is not None


def test_finishing_with_nothing_connected_is_asked_about(link: World, page: Page) -> None:
    page.goto(f"{link.start}?journey=later")
    _consent(page, "Harbour Bakery Ltd")
    page.get_by_role("link", name="Finish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Almost done: no account is connected yet")
    assert faults(page) == []
    page.get_by_role("link", name="Later").click()
    expect(page).to_have_url(f"{link.url}/platform/later?status=200&error=")


def test_the_road_without_scripts(link: World, page_without_scripts: Page) -> None:
    page = page_without_scripts
    page.goto(f"{link.start}?journey=a%20b")
    _consent(page, "Harbour Bakery Ltd", "Northwind Joinery")
    page.get_by_label("Harbour Bakery Ltd").check()
    page.get_by_role("button", name="Connect this organisation").click()
    page.locator("#target-1").select_option(label="Business Current Account – 9911")
    page.locator("#target-2").select_option("new")
    page.get_by_role("button", name="Connect accounts").click()
    expect(page.get_by_role("status").first).to_contain_text("Done")
    page.get_by_role("link", name="Disconnect Savings account").click()
    page.get_by_role("button", name="Disconnect the account").click()
    expect(page.get_by_role("checkbox", name="Connect Savings account – 8976")).to_be_checked()
    page.get_by_role("link", name="Finish").click()
    expect(page).to_have_url(f"{link.url}/platform/a%20b?status=200&error=")


def test_cancelling_at_xero_returns_to_the_platform(link: World, page: Page) -> None:
    page.goto(f"{link.start}?journey=x")
    page.get_by_role("button", name="Cancel").click()
    expect(page).to_have_url(f"{link.url}/platform/x?status=403&error=User%20cancelled")
    assert link.current_connection().errors[0].status_text == "User cancelled linking"


def test_loading_the_answer_of_xero_again_is_harmless_and_leads_on(link: World, page: Page) -> None:
    callback_urls: list[str] = []
    page.on("request", lambda request: callback_urls.append(request.url) if "/oauth/callback" in request.url else None)
    page.goto(link.start)
    _consent(page, "Harbour Bakery Ltd")
    page.goto(callback_urls[0])
    expect(page.get_by_role("heading", level=1)).to_have_text("Manage connected accounts")
    assert link.current_connection().is_linked


def test_what_is_being_typed_survives_while_an_account_is_connecting(link: World, page: Page) -> None:
    page.goto(link.start)
    _consent(page, "Harbour Bakery Ltd")
    page.locator("#target-1").select_option("new")
    page.get_by_role("checkbox", name="Connect Savings account").uncheck()
    page.get_by_role("button", name="Connect accounts").click()
    expect(page.get_by_role("row", name="Main account")).to_contain_text("connecting")
    page.locator("#start-1").fill(_days_ago(60))
    account = company_items.source_account(link.site.store, link.connection.id, "main")
    link.site.store.commit(company_items.put_source_account(account.but(status=SourceAccountStatus.CONNECTED)))
    expect(page.locator("#connected .pill")).to_have_text("connected")
    expect(page.locator("#start-1")).to_have_value(_days_ago(60))


def test_a_link_with_a_one_time_password_and_pkce_works_once(link: World, page: Page, browser: Browser) -> None:
    store = link.site.store
    store.commit(settings_items.put_settings(settings_items.settings(store).but(pkce=True, link_passwords=True)))
    page.goto(link.start)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link is incomplete")
    assert faults(page) == []
    passwords = link_passwords.issue_connection_passwords(store, datetime.now(UTC), new_secret, [link.connection])
    link_url = f"{link.start}?otp={passwords[link.connection.id]}"
    page.goto(link_url)
    page.get_by_role("button", name="Cancel").click()
    page.goto(f"{link.start}?link.reconnect=1")
    _consent(page, "Harbour Bakery Ltd")
    expect(page.get_by_role("heading", level=1)).to_have_text("Manage connected accounts")
    assert link.current_connection().is_linked
    stranger = browser.new_page()
    stranger.goto(link_url)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("This link is no longer valid")
    stranger.close()


def test_a_consent_without_bank_feeds_says_so_and_another_one_mends_it(link: World, page: Page) -> None:
    store = link.site.store
    store.commit(settings_items.put_settings(settings_items.settings(store).but(bank_feeds=False)))
    page.goto(f"{link.start}?journey=x")
    page.get_by_label("Harbour Bakery Ltd").check()
    store.commit(settings_items.put_settings(settings_items.settings(store).but(bank_feeds=True)))
    page.get_by_role("button", name="Allow access").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bank feeds were not allowed")
    assert faults(page) == []
    assert link.current_connection().needs_reconnection
    page.get_by_role("link", name="Connect again").click()
    _consent(page, "Harbour Bakery Ltd")
    expect(page.get_by_role("heading", level=1)).to_have_text("Manage connected accounts")
    assert not link.current_connection().needs_reconnection
