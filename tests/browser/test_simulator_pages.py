"""The simulator's own pages in a browser: without scripts, accessible, and not wider than a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from local.simulator.control_settings import add_organisation, set_app
from local.simulator.server import RunningSimulator, serve_in_thread
from tests.browser import accessibility

LONG = "A" * 255
PAGES = (
    "", "developer/app", "developer/organisations", "developer/faults", "developer/behaviour", "developer/received",
    "developer/calls",
)  # fmt: skip


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with serve_in_thread() as running:
        yield running


def test_all_pages_are_accessible_also_with_long_and_right_to_left_names(
    page: Page, simulator: RunningSimulator
) -> None:
    for name in (LONG, "مخبز الميناء"):
        account = {"name": name, "number": LONG}
        add_organisation(simulator.state, {"name": name, "country": "GB", "currency": "GBP", "accounts": [account]})
    set_app(simulator.state, {"name": LONG, "redirectUris": [f"https://platform.example/{LONG}"]})
    faults = {}
    for path in PAGES:
        page.goto(f"{simulator.url}/{path}")
        if found := accessibility.faults(page):
            faults[path] = found
    assert faults == {}


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
