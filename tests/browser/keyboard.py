"""A customer with only a keyboard: tabs from control to control, and types."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

TAB_STOPS_MAX = 60


def reach(page: Page, control: Locator) -> None:
    """Moves the focus to the control with the Tab key. The control must show that it has the focus."""
    control.wait_for()
    for _ in range(TAB_STOPS_MAX):
        page.keyboard.press("Tab")
        if control.evaluate("element => element === document.activeElement"):
            outline = control.evaluate("element => getComputedStyle(element).outlineStyle")
            assert outline != "none", "the focus cannot be seen"
            return
    raise AssertionError(f"{control} cannot be reached by keyboard")


def press(page: Page, control: Locator, key: str = "Enter") -> None:
    reach(page, control)
    page.keyboard.press(key)


def choose(page: Page, control: Locator, prefix: str) -> None:
    """Selects an option of a drop-down by typing its first letters."""
    reach(page, control)
    page.keyboard.type(prefix)
