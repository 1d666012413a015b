"""The pictures of the README: the main pages in Chromium, with believable data. `make pictures` takes them anew."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

from playwright.sync_api import Page, sync_playwright

from feedlane.settings import items as settings_items
from feedlane.settings.guide import remember
from feedlane.settings.settings import Profile
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.world import API_KEY, World, world
from tests.worlds.believable_portal import add_believable_data

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT_MAX = 1280, 1500
# Where a picture may end: below a part of the page or a row of a table, and not within it.
_ENDS = """
() => [...document.querySelectorAll("main > *, main > .parts > *, main tbody tr, footer")]
  .map((part) => part.getBoundingClientRect().bottom + scrollY + (part.tagName === "TR" ? 0 : 12))
"""
# A deployed stack has a name, and no port that differs each time.
_RENAME = """
([own, shown]) => {
  for (const code of document.querySelectorAll("code")) code.textContent = code.textContent.replace(own, shown);
}
"""


def take(folder: Path = FOLDER) -> list[Path]:
    """Writes them, and returns their files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with (
        world(Profile(name="Ledgerly", support_address="https://ledgerly.example/help")) as made,
        # The guide would say that it leads to one.
        patch.object(type(made.site), "has_simulator", new=False),
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light", locale="en-GB")
        page.goto(f"{made.url}/portal")
        page.get_by_label("API key").fill(API_KEY)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Overview", exact=True).wait_for()
        for name, path in _paths(made).items():
            page.goto(made.url + path)
            page.evaluate(_RENAME, [made.url, "https://feeds.ledgerly.example"])
            files.append(_picture(page, folder, name))
        _reach_mapping(made, page)
        files.append(_picture(page, folder, "link"))
        browser.close()
    return files


def _paths(made: World) -> dict[str, str]:
    shown = add_believable_data(made.site.ports)
    store, now = made.site.store, made.site.clock()
    remember(store, access_chosen=True, keys_checked_on=now, bank_feeds_granted=True, bank_feeds_asked_on=now)
    settings = settings_items.settings(store)
    named = settings.but(app_name="Ledgerly Feeds", company_url="https://ledgerly.example")
    store.commit(settings_items.put_settings(named))
    made.add_account("main", "Main account", "20011234", "15900")
    made.add_account("savings", "Savings account", "20018976", "1250.50")
    return {
        "overview": "/portal",
        "company": f"/portal/companies/{shown.company.id}",
        "feed": f"/portal/feeds/{shown.feed.id}",
        "holds": "/portal/holds",
        "set-up": "/portal/set-up",
        "settings": "/portal/settings/access",
    }


def _reach_mapping(made: World, page: Page) -> None:
    """As the customer: consents at the simulated Xero, and comes to the page that maps the accounts."""
    page.goto(made.start)
    page.get_by_label("Harbour Bakery Ltd").check()
    page.get_by_role("button", name="Allow access").click()
    page.get_by_role("heading", name="Manage connected accounts").wait_for()


def _picture(page: Page, folder: Path, name: str) -> Path:
    """The whole page, or as many of its upper parts as there is room for."""
    file = folder / f"{name}.png"
    height = max(int(end) for end in page.evaluate(_ENDS) if end <= HEIGHT_MAX)
    page.screenshot(path=file, full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
    return file


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("needs Chromium (apt-get install chromium)")
    for picture in take():
        print(f"{picture.name}: {picture.stat().st_size:,} bytes")
