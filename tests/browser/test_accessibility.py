"""The check of the pages itself: it finds faults, in either scheme and on narrow screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import VIEWS, faults

SOUND = """
<!doctype html><html lang=en><title>Sound</title><style>:root { color-scheme: light dark }</style>
<main><h1>Sound</h1><p><label>Name <input></label></p></main>
"""
# The content, and in which views the fault is there: by width and scheme.
FAULTS: dict[str, tuple[str, Callable[[int, str], bool]]] = {
    "label": (SOUND.replace("<label>Name <input></label>", "<input>"), lambda width, scheme: scheme == "light"),
    "color-contrast": (
        SOUND.replace(
            "</style>",
            "@media (prefers-color-scheme: dark) { body { background: #181818 } h1 { color: #eee } p { color: #333 } }"
            "</style>",
        ),
        lambda width, scheme: scheme == "dark",
    ),
    "target-size": (
        SOUND.replace("</main>", "<button style='width: 9px'>a</button><button style='width: 9px'>b</button></main>"),
        lambda width, scheme: scheme == "light",
    ),
    "wider than the screen": (
        SOUND.replace("</main>", "<div style='width: 400px'>Wide</div></main>"),
        lambda width, scheme: width < 400,
    ),
    "a cell out of its table": (
        SOUND.replace("</main>", "<table><tr><th scope=col>A<tr><td style='display: flex'>b</table></main>"),
        lambda width, scheme: width == 1280,
    ),
    "not one h1": (SOUND.replace("</main>", "<h1>Another</h1></main>"), lambda width, scheme: True),
}


def test_a_sound_page_has_no_faults(page: Page) -> None:
    page.set_content(SOUND)
    assert faults(page) == []


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found(page: Page, rule: str) -> None:
    content, is_there = FAULTS[rule]
    page.set_content(content)
    found = faults(page)
    assert {message[: len(rule)] for message in found} == {rule}
    for width, scheme in VIEWS:
        is_found = any(message.endswith(f"({width} px, {scheme})") for message in found)
        assert is_found == is_there(width, scheme), (width, scheme)
