"""The simulator's own pages in a browser: without scripts, accessible, and not wider than a phone."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from local.simulator import developer
from local.simulator.clock import Clock
from local.simulator.control_faults import add_fault
from local.simulator.control_settings import add_organisation, set_app
from local.simulator.developer_faults import body_of
from local.simulator.server import RunningSimulator, serve_in_thread
from local.simulator.state import Simulator
from tests.browser import accessibility
from tests.browser.every_page import EVERYTHING, STATES
from tests.browser.looks import Fields, Looks
from tests.contract.simulator.driver import BAKERY, NOON, REDIRECT, Xero, credit, new_line, new_statement
from tests.worlds.hard_portal import LONG, NAMES

NO_PAGE = ("/favicon.ico", "/developer/style.css")
# What each form needs so that it is refused in all of its fields, or does what a page then shows.
FORMS: dict[str, Fields] = {
    "/developer/app/details": {"name": "Xero", "companyUrl": "nowhere"},
    "/developer/app/redirects": {"redirectUri": "nowhere"},
    "/developer/app/access": {"connectionLimit": "many"},
    "/developer/organisations/add": {"name": LONG, "currency": "EURO", "accounts[0].name": LONG},
    "/developer/organisations/{id}": {"name": ""},
    "/developer/faults/add": {"fault": "lost", "times": "many"},
    "/developer/faults/reject": {"problem": "invalid-end-balance", "times": "2"},
    "/developer/behaviour/clock": {"advanceSeconds": "-1"},
    "/developer/behaviour/consent": {"mode": "none"},
    "/developer/behaviour/timing": {"statementSeconds": "long"},
}


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with serve_in_thread() as running:
        yield running


@pytest.mark.parametrize("name", STATES)
def test_all_pages_and_refused_forms_are_accessible_whatever_the_names(page: Page, name: str) -> None:
    with serve_in_thread(Simulator(Clock(lambda: NOON))) as simulator, httpx.Client(base_url=simulator.url) as http:
        looks = Looks(page, simulator.url)
        routes = [route for route in developer.routes() if route.path not in NO_PAGE]
        pages = [route.path for route in routes if "POST" not in (route.methods or ())]
        forms = [route.path for route in routes if route.path not in pages]
        for path in pages if EVERYTHING else ("/developer/received/{id}",):
            looks.open(path.replace("{id}", "unknown"), "at the start")
        statement = _fill(Xero(simulator.url, simulator.state, http), NAMES[name])
        for path in (*pages, "/developer/received?page=2", "/connectionLimit"):
            looks.open(path.replace("{id}", statement))
        looks.open("/identity/connect/authorize?client_id=unknown")
        for path in forms if EVERYTHING else FORMS:
            page.goto(simulator.url)
            looks.send(path.replace("{id}", BAKERY), FORMS.get(path, {}))
        looks.require_no_faults()
        shown = {path for _, path in looks.shown}
        assert {path for path in pages if "{id}" not in path} <= shown
        assert {path.replace("{id}", BAKERY) for path in FORMS} <= shown | {"/developer/faults/reject"}


def _fill(xero: Xero, name: str) -> str:
    """More of everything than a page has. Returns the id of a statement."""
    for _ in range(30):
        account = {"name": name, "number": "1" * 255}
        body = {"name": name, "country": "GB", "currency": "GBP", "accounts": [account]}
        add_organisation(xero.state, body)
    uris = [f"https://platform.example/{number}/{name}" for number in range(30)]
    set_app(xero.state, {"name": name, "redirectUris": [*uris, REDIRECT]})
    xero.control("PUT", f"orgs/{BAKERY}", {"name": name})
    xero.connect(BAKERY)
    feed = xero.active_feed()
    for number in range(30):
        line = new_line(f"t-{number}-{name}"[:250], description=name, payeeName=name, reference=name)
        balances = {"startBalance": credit(50 * number), "endBalance": credit(50 * number + 50)}
        xero.post_statements(new_statement(feed, line, **balances))
    xero.advance(60)
    for fault in ("noBankFeeds", "slow"):
        add_fault(xero.state, body_of(fault, BAKERY, 987_654))
    return str(xero.received()[0]["id"])


def test_the_navigation_is_one_line_on_a_wide_screen(page: Page, simulator: RunningSimulator) -> None:
    page.goto(simulator.url)
    tops = {link.bounding_box()["y"] for link in page.locator("header nav a").all()}  # type: ignore[index]
    assert len(tops) == 1


def test_the_app_is_set_up_by_its_forms_alone(page_without_scripts: Page, simulator: RunningSimulator) -> None:
    page = page_without_scripts
    page.goto(simulator.url)
    page.get_by_role("link", name="App", exact=True).click()
    page.get_by_label("App name").fill("Ledgerly")
    page.get_by_label("Company URL").fill("https://ledgerly.example")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("status")).to_have_text("The app's details are saved.")
    page.get_by_label("Redirect URI").fill("http://localhost:8480/oauth/callback")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Generate a secret").click()
    secret = page.locator("#secret").inner_text()
    assert simulator.state.app.client_secrets[-1] == secret
    assert simulator.state.app.redirect_uris == ["http://localhost:8480/oauth/callback"]


def test_an_error_is_beside_its_field_and_what_was_typed_stays(page: Page, simulator: RunningSimulator) -> None:
    page.goto(f"{simulator.url}/developer/organisations")
    form = page.locator("#add")
    form.get_by_label("Name", exact=True).fill("Zoé & Co")
    form.get_by_label("Currency", exact=False).first.fill("EURO")
    form.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("The currency must be a code of 3 capital letters")
    expect(page.locator("#add [aria-invalid=true]")).to_have_value("EURO")
    expect(page.locator("#add").get_by_label("Name", exact=True)).to_have_value("Zoé & Co")
    assert accessibility.faults(page) == []
