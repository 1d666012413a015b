"""What every page of the portal has, in a real browser: the menu, the search, copying, long names, narrow screens."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from feedlane.companies import items as company_items
from feedlane.companies.source_account import AccountMapping
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.problem import Problem
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from tests import builders
from tests.browser import keyboard
from tests.browser.accessibility import faults
from tests.browser.world import API_KEY, World

LONG, ARABIC = "Wm" * 127 + "x", "مخبز الميناء " * 12
PAGES = (
    "", "/companies", "/feeds", "/holds", "/files", "/webhooks", "/activity", "/set-up", "/set-up/app",
    "/set-up/keys", "/set-up/access", "/set-up/face", "/set-up/bank-feeds", "/set-up/partner", "/set-up/enable",
    "/set-up/test", "/set-up/try", "/certification", "/dead-letters", "/dead-letters?show=checks", "/settings",
    "/settings/app", "/settings/access", "/settings/sending", "/settings/links", "/settings/codat", "/keys", "/profile",
)  # fmt: skip


def _sign_in(link: World, page: Page, wanted: str = "/portal") -> None:
    page.goto(link.url + wanted)
    page.get_by_label("API key").fill(API_KEY)
    page.get_by_role("button", name="Sign in").click()


def _crowd(link: World) -> None:
    """Names of 255 letters and from right to left, 25 accounts, and more of everything than a page has."""
    store, now = link.site.store, datetime.now(UTC)
    for number in range(25):
        name = f"{LONG[:200]}{number}" if number % 2 else ARABIC
        link.add_account(f"account-{number}", name, f"2001{number:04}", "10")
    account = company_items.source_account(store, link.connection.id, "account-1")
    mapping = AccountMapping(feed_connection_id="", account_token="token", target_account_name=LONG)
    store.commit(company_items.put_source_account(account.but(mapping=mapping)))
    for number in range(30):
        name = {0: LONG, 1: ARABIC}.get(number, f"Company {number}")
        company = builders.company(f"company-{number:02}", name=name, created=now)
        tags = {"region": "uk", "note": LONG[:90]} if number < 2 else {}
        store.commit(company_items.add_company(company.but(tags=tags)))
        store.commit(*hold_items.add_hold(_hold(link, number)))
    store.commit(settings_items.put_profile(settings_items.profile(store).but(name=LONG)))


def _hold(link: World, number: int) -> Hold:
    title = f"{LONG[:120]} {number}"
    return builders.hold(
        Scope.FEED,
        f"{link.connection.id}/account-{number}",
        id=f"hold-{number:02}",
        reason="x",
        problem=Problem(type="invalid-organisation-bank-feeds", title=title, status=403, detail=LONG),
        since=datetime.now(UTC),
        company_id=f"company-{number:02}",
        connection_id=link.connection.id,
        account_id=f"account-{number}",
    )


def test_every_page_is_accessible_and_no_wider_than_the_screen_whatever_the_names(link: World, page: Page) -> None:
    _crowd(link)
    _sign_in(link, page)
    found: dict[str, list[str]] = {}
    company = f"/companies/{link.connection.company_id}"
    connection = f"{company}/connections/{link.connection.id}"
    feed = f"/feeds/{link.connection.id}/account-1"
    forms = (
        "/companies/new",
        f"{company}/edit",
        f"{company}/delete",
        f"{connection}/disconnect",
        f"{connection}/delete",
    )
    lists = (f"{company}/push-operations", f"{feed}?show=transactions", f"{feed}?show=pushes", "/companies?sort=name")
    for path in (
        *PAGES,
        company,
        feed,
        *forms,
        f"{connection}/accounts/new",
        f"{connection}/accounts/disconnect?account=account-1",
        *lists,
        "/nowhere",
        "/search?q=company",
        "/search?q=nothing",
        "/holds?q=none",
        "/holds?reason=x",
    ):
        page.goto(f"{link.url}/portal{path}")
        found[path] = faults(page)
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{link.url}/portal/companies")
    page.get_by_text("Menu").click()
    found["menu"] = faults(page)
    assert {path: page_faults for path, page_faults in found.items() if page_faults} == {}


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
