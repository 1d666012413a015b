"""A customer who only has a keyboard: goes from control to control, and types."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

MOST_STOPS = 60


def reach(page: Page, wanted: Locator) -> None:
    """By the Tab key alone, as far as there are stops. Whatever has the focus must show it."""
    wanted.wait_for()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            outline = wanted.evaluate("one => getComputedStyle(one).outlineStyle")
            assert outline != "none", "the focus cannot be seen"
            return
    raise AssertionError(f"{wanted} cannot be reached by keyboard")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    reach(page, wanted)
    page.keyboard.press(key)


def choose(page: Page, wanted: Locator, beginning: str) -> None:
    """An option of a drop-down, by typing how it begins."""
    reach(page, wanted)
    page.keyboard.type(beginning)
