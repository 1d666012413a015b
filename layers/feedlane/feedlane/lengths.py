"""How Xero counts the length of a text, and how a text is cut to it, for Xero or for a system in front of it.

Xero is written in .NET, which counts UTF-16 units: an emoji is two or more. Its documentation says characters, so a
text that fits by units fits either way.
"""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
# What belongs to the character before it without being a mark: joiners, skin tones, tags, and two vowels.
_CONTINUES = frozenset({_JOINER, "\u200c", "\u0e33", "\u0eb3"})
_VIRAMA = 9


def units(text: str) -> int:
    """The number of UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def truncate(text: str, units_max: int) -> str:
    """At most so many UTF-16 units, never ending within what a reader sees as one character.

    Only a first character that is too long by itself is cut, between its code points.
    """
    if len(text) * 2 <= units_max:
        return text
    if text.isascii():
        return text[:units_max]
    if units(text) <= units_max:
        return text
    end = longest = _code_points_in(text, units_max)
    while end and not _is_boundary(text, end):
        end -= 1
    return text[: end or longest]


def _code_points_in(text: str, units_max: int) -> int:
    """How many of the first code points fit."""
    left = units_max
    for number, character in enumerate(text):
        left -= 2 if character > "\uffff" else 1
        if left < 0:
            return number
    return len(text)


def _is_boundary(text: str, place: int) -> bool:
    """Whether one character ends and another begins here. After Unicode's rules for grapheme clusters (UAX 29)."""
    before, after = text[place - 1], text[place]
    if (before, after) == ("\r", "\n") or before == _JOINER or _continues(after):
        return False
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _flag_letters_up_to(text, place) % 2 == 0
    is_conjunct = unicodedata.combining(before) == _VIRAMA and after.isalpha()
    return not is_conjunct and not _is_one_syllable(before, after)


def _continues(character: str) -> bool:
    is_modifier = "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0020" <= character <= "\U000e007f"
    return is_modifier or character in _CONTINUES or unicodedata.category(character).startswith("M")


def _is_flag_letter(character: str) -> bool:
    """Two of them are one flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_up_to(text: str, place: int) -> int:
    start = place
    while start and _is_flag_letter(text[start - 1]):
        start -= 1
    return place - start


def _is_one_syllable(before: str, after: str) -> bool:
    """Korean letters that join to one syllable: a leading one with what follows, and a vowel or end after another."""
    if "\u1100" <= before <= "\u115f":
        return "\u1100" <= after <= "\u11ff" or "\uac00" <= after <= "\ud7a3"
    is_korean = "\u1160" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3"
    return is_korean and "\u1160" <= after <= "\u11ff"
