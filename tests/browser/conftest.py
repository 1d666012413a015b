"""One browser for all tests; a fresh browser profile and world for each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from feedlane.settings import items as settings_items
from feedlane.settings.settings import Profile
from tests.browser.world import World, world

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# Not session-scoped: while Playwright runs, no other test can start an event loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def link() -> Iterator[World]:
    with world(Profile(name="Ledgerly")) as link_world:
        template = f"{link_world.url}/platform/{{journey}}?status={{statusCode}}&error={{errorMessage}}"
        store = link_world.site.store
        store.commit(settings_items.put_profile(settings_items.profile(store).but(redirect_url=template)))
        link_world.add_account("main", "Main account", "20011234", "159000")
        link_world.add_account("savings", "Savings account", "20018976", "-1250.50")
        yield link_world


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    yield from _page(browser, scripts=True)


@pytest.fixture
def page_without_scripts(browser: Browser) -> Iterator[Page]:
    yield from _page(browser, scripts=False)


def _page(browser: Browser, scripts: bool) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 1200, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text) if "Security Policy" in message.text else None)
    yield page
    context.close()
    assert violations == [], "a page violates its own content security policy"
