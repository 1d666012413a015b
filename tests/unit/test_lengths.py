"""Lengths as Xero counts them: in UTF-16 units, and never ending within what a reader sees as one character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedlane.lengths import truncate, units


@pytest.mark.parametrize(
    ("text", "units_max", "cut"),
    [
        ("short", 255, "short"),
        ("plain text", 5, "plain"),
        ("é" * 300, 255, "é" * 255),
        ("😀" * 200, 255, "😀" * 127),
        ("cafe\u0301", 4, "caf"),
        ("tea 🏖️", 6, "tea "),
        ("tea 🏖️", 7, "tea 🏖️"),
        ("tea 👍🏽", 7, "tea "),
        ("tea 👩‍👩‍👧", 11, "tea "),
        ("tea 👩‍👩‍👧", 12, "tea 👩‍👩‍👧"),
        ("🇬🇧🇫🇷", 6, "🇬🇧"),
        ("x🇬🇧🇫🇷", 5, "x🇬🇧"),
        ("tea 1️⃣", 6, "tea "),
        ("क्षत्रिय", 3, "क्ष"),
        ("क्षत्रिय", 2, "क्"),
        ("กำ", 1, "ก"),
        ("\u1112\u1161\u11ab\u1112\u1161", 4, "\u1112\u1161\u11ab"),
        ("한\u11a8", 1, "한"),
        ("a\r\né", 2, "a"),
    ],
    ids=ascii,
)
def test_a_text_is_cut_between_two_characters(text: str, units_max: int, cut: str) -> None:
    assert truncate(text, units_max) == cut


def test_a_first_character_that_is_too_long_is_cut_rather_than_lost() -> None:
    assert truncate("👩‍👩‍👧‍👦", 6) == "\U0001f469\u200d\U0001f469\u200d"


@given(st.text(max_size=60), st.integers(1, 40))
def test_what_is_left_fits_and_is_how_the_text_began(text: str, units_max: int) -> None:
    cut = truncate(text, units_max)
    assert text.startswith(cut)
    assert units(cut) <= units_max
    assert units(text) > units_max or cut == text
    assert cut or units(text[:1]) > units_max or not text
