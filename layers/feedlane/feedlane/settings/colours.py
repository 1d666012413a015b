"""Colours as WCAG 2 measures them: whether text in one can be read on another."""

from __future__ import annotations

import re

WHITE = "#ffffff"
# WCAG 2.2, 1.4.3, for text of any size.
CONTRAST_MIN = 4.5
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_STEPS = 100


def is_colour(text: str) -> bool:
    return _COLOUR.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def darkened(colour: str) -> str:
    """The same hue, as little darker as white text on it needs."""
    for step in range(_STEPS, -1, -1):
        mixed = "#" + "".join(f"{value * step // _STEPS:02x}" for value in _parts(colour))
        if contrast(mixed, WHITE) >= CONTRAST_MIN:
            return mixed
    raise AssertionError("unreachable: black is dark enough")


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _parts(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
