"""An operator follows What needs you to the dead letters, and puts them back: with the keyboard, in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from feedlane.upkeep.dead_letter_count import note_count
from tests.browser import keyboard
from tests.browser.accessibility import faults
from tests.browser.world import API_KEY, World

DEAD, BACK = "transactions-dead-letters.fifo", "transactions.fifo"


def _add(link: World, account: str, count: int) -> None:
    ids = {"companyId": link.connection.company_id, "connectionId": link.connection.id, "accountId": account}
    for number in range(count):
        push = {"version": 1, **ids, "transactions": [{"id": f"t{number}", "description": "canary"}]}
        link.site.letters_aws.send(DEAD, push, f"{link.connection.id}/{account}")


def test_an_operator_puts_dead_letters_back(link: World, page: Page) -> None:
    _add(link, "main", 2)
    _add(link, "savings", 1)
    note_count(link.site.store, 3, datetime.now(UTC))
    page.goto(f"{link.url}/portal")
    page.get_by_label("API key").fill(API_KEY)
    page.get_by_role("button", name="Sign in").click()
    keyboard.press(page, page.get_by_role("link", name="See why"))
    expect(page.get_by_role("link", name="Pushes (3)")).to_have_attribute("aria-current", "true")
    assert "canary" not in page.content()
    assert faults(page) == []

    # Of the feed with two, the second has to wait.
    buttons = page.get_by_role("button", name="Put back message")
    expect(buttons).to_have_count(2)
    keyboard.press(page, buttons.first)
    expect(page.get_by_role("status")).to_have_text("1 message is back in the queue.")
    keyboard.press(page, page.get_by_role("button", name="Put back all 2"))
    expect(page.get_by_role("status")).to_have_text("2 messages are back in the queue.")
    expect(page.get_by_text("Nothing here")).to_be_visible()
    assert faults(page) == []

    letters = link.site.letters_aws
    assert (len(letters.bodies(BACK)), letters.bodies(DEAD)) == (3, [])
    page.goto(f"{link.url}/portal")
    expect(page.get_by_text("Nothing needs you")).to_be_visible()
