"""What every page of the portal has, in a real browser: the menu, the search, copying, long names, narrow screens."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from feedlane.holds import items as hold_items
from feedlane.problem import Problem
from feedlane.scope import Scope
from tests import builders
from tests.browser import keyboard
from tests.browser.accessibility import faults
from tests.browser.world import API_KEY, World


def _sign_in(link: World, page: Page, wanted: str = "/portal") -> None:
    page.goto(link.url + wanted)
    page.get_by_label("API key").fill(API_KEY)
    page.get_by_role("button", name="Sign in").click()


def test_a_phone_has_the_navigation_in_one_menu(link: World, page: Page) -> None:
    _sign_in(link, page)
    page.set_viewport_size({"width": 390, "height": 900})
    expect(page.get_by_role("link", name="Companies", exact=True)).to_be_hidden()
    page.get_by_text("Menu").click()
    page.get_by_role("link", name="Companies", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Companies")


def test_a_link_survives_the_sign_in_and_the_search_leads_to_a_company_by_keyboard(link: World, page: Page) -> None:
    _sign_in(link, page, "/portal/feeds?q=main")
    expect(page).to_have_url(f"{link.url}/portal/feeds?q=main")
    expect(page.get_by_role("table").get_by_role("link", name="Main account")).to_be_visible()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search by name or id")).to_be_focused()
    page.keyboard.type("harbour")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Harbour Bakery Ltd")


def test_an_id_is_copied_and_that_is_said(link: World, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _sign_in(link, page, f"/portal/companies/{link.connection.company_id}")
    keyboard.press(page, page.get_by_role("button", name="Copy the company id"))
    expect(page.locator("#said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == link.connection.company_id


def test_a_form_whose_session_ended_comes_back_filled(link: World, page: Page) -> None:
    _sign_in(link, page, "/portal/profile")
    page.get_by_label("Name", exact=True).fill("Harbour Bank")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").click()
    page.get_by_label("API key").fill(API_KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Harbour Bank")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")


def test_an_error_leads_to_its_field(link: World, page: Page) -> None:
    _sign_in(link, page, "/portal/profile")
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_label("Logo").fill("nowhere")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_title("Error: Profile · Ledgerly")
    page.get_by_role("alert").get_by_role("link", name="Logo must be an https URL").click()
    expect(page.get_by_label("Logo")).to_be_focused()
    assert faults(page) == []


def test_the_portal_works_without_scripts(link: World, page_without_scripts: Page) -> None:
    page = page_without_scripts
    _sign_in(link, page)
    page.get_by_role("link", name="Companies", exact=True).click()
    page.get_by_role("searchbox", name="Name, tag, id or organisation").fill("harbour")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("table").get_by_role("link", name="Harbour Bakery Ltd").click()
    expect(page.locator("[data-copy]").first).to_have_text(link.connection.company_id)


def test_what_is_under_way_looks_again_and_says_that_it_changed(link: World, page: Page) -> None:
    problem = Problem(type="t", title="Not allowed", status=403)
    hold = builders.hold(Scope.CONNECTION, link.connection.id, reason="x", problem=problem, since=datetime.now(UTC))
    link.site.store.commit(*hold_items.add_hold(hold.but(releasing=True)))
    _sign_in(link, page, "/portal/holds")
    expect(page.get_by_text("being released", exact=True)).to_be_visible()
    link.site.store.commit(*hold_items.remove_holds([hold]))
    expect(page.get_by_text("Nothing is held")).to_be_visible()
    expect(page.locator("#said")).to_have_text("The list of holds has changed.")
