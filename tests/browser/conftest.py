"""One browser for all tests; a fresh browser profile and world for each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from feedlane.settings import items as settings_items
from feedlane.settings.settings import Profile
from tests.browser.accessibility import VIEWS
from tests.browser.looks import LOOKED
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
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if _is_error(message) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == [], "a page violates its own content security policy, or its script failed"


def _is_error(message: ConsoleMessage) -> bool:
    """Not that a page has another status than 200: pages that refuse a form do."""
    is_status = message.text.startswith("Failed to load resource: the server responded with a status of")
    return message.type == "error" and not is_status


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if LOOKED:
        terminalreporter.write_line(f"{len(LOOKED)} pages and states were looked at in {len(VIEWS)} views each")
