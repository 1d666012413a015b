"""The check of the pages itself: it finds faults, in either scheme and on narrow screens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import faults

SOUND = """
<!doctype html><html lang=en><title>Sound</title><style>:root { color-scheme: light dark }</style>
<main><h1>Sound</h1><p><label>Name <input></label></p></main>
"""
FAULTS = {
    "label": (SOUND.replace("<label>Name <input></label>", "<input>"), ("1280 px, light", "320 px, light")),
    "color-contrast": (
        SOUND.replace(
            "</style>",
            "@media (prefers-color-scheme: dark) { body { background: #181818 } h1 { color: #eee } p { color: #333 } }"
            "</style>",
        ),
        ("1280 px, dark", "390 px, dark"),
    ),
    "target-size": (
        SOUND.replace("</main>", "<button style='width: 9px'>a</button><button style='width: 9px'>b</button></main>"),
        ("1280 px, light", "320 px, light"),
    ),
    "wider than the screen": (
        SOUND.replace("</main>", "<div style='width: 400px'>Wide</div></main>"),
        ("320 px, light", "390 px, dark"),
    ),
    "a cell out of its table": (
        SOUND.replace("</main>", "<table><tr><th scope=col>A<tr><td style='display: flex'>b</table></main>"),
        ("1280 px, light", "1280 px, dark"),
    ),
    "not one h1": (SOUND.replace("</main>", "<h1>Another</h1></main>"), ("1280 px, light", "390 px, dark")),
}


def test_a_sound_page_has_no_faults(page: Page) -> None:
    page.set_content(SOUND)
    assert faults(page) == []


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found(page: Page, rule: str) -> None:
    content, where = FAULTS[rule]
    page.set_content(content)
    found = faults(page)
    assert {message[: len(rule)] for message in found} == {rule}
    assert [one for one in where if not any(message.endswith(f"({one})") for message in found)] == []
