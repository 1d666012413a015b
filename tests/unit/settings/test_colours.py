"""The contrast of colours, against values that WCAG's own tools give."""

from __future__ import annotations

import pytest

from feedlane.settings.colours import CONTRAST_MIN, WHITE, contrast, darkened, is_colour
from feedlane.web_address import is_mail_address


@pytest.mark.parametrize(
    ("colour", "ratio"), [("#000000", 21.0), ("#ffffff", 1.0), ("#767676", 4.54), ("#777777", 4.48), ("#0b6e4f", 6.25)]
)
def test_the_contrast_with_white_is_that_of_wcag(colour: str, ratio: float) -> None:
    assert contrast(colour, WHITE) == pytest.approx(ratio, abs=0.05)
    assert contrast(WHITE, colour) == contrast(colour, WHITE)


@pytest.mark.parametrize("colour", ["#ffd400", "#ffffff", "#777777", "#00ff00"])
def test_what_is_offered_instead_of_a_light_colour_is_dark_enough_and_hardly_darker(colour: str) -> None:
    offered = darkened(colour)
    assert is_colour(offered)
    assert CONTRAST_MIN <= contrast(offered, WHITE) < CONTRAST_MIN + 0.4


@pytest.mark.parametrize("text", ["help@example.com", "a.b+c@mail.example.co.uk"])
def test_a_mail_address_is_one(text: str) -> None:
    assert is_mail_address(text)


@pytest.mark.parametrize("text", ["help", "help@localhost", "a b@example.com", "x@example.com?bcc=y@z.com", "@x.com"])
def test_anything_else_is_none(text: str) -> None:
    assert not is_mail_address(text)
