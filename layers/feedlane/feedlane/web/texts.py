"""What customers read, in their language. Each language has one catalogue in `languages/`: another one is another file.

Pages of the portal are in English. Placeholders are those of `str.format`; a key that ends in `.one` or `.other` is
chosen by a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

_FOLDER = Path(__file__).parent / "languages"
DEFAULT_LANGUAGE = "en"
LANGUAGES = tuple(sorted(file.stem for file in _FOLDER.glob("*.json")))
# From this number on, a language uses the plural. English has none but for one; French says "0 compte".
_PLURAL_FROM = {"fr": 2}
_WEIGHT = re.compile(r"q=(0(\.\d{1,3})?|1(\.0{1,3})?)")
_spoken: ContextVar[str] = ContextVar("spoken", default=DEFAULT_LANGUAGE)


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """What is said inside is in this language."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def language() -> str:
    """The language that is spoken, as the page's `lang` has it."""
    return _spoken.get()


def say(key: str, **facts: Any) -> str:
    """Plain text. The key must exist; see `has_text`."""
    return catalogue(language())[key].format(**facts)


def say_safely(key: str, **facts: Any) -> Markup:
    """The same for a template: what the facts contain is shown and never run."""
    return escape(catalogue(language())[key]).format(**facts)


def say_number(key: str, number: int, **facts: Any) -> str:
    """The text `{key}.one` or `{key}.other`, with `number` as a placeholder."""
    is_one = number < _PLURAL_FROM[language()] if language() in _PLURAL_FROM else number == 1
    return say(f"{key}.{'one' if is_one else 'other'}", number=number, **facts)


def has_text(key: str) -> bool:
    return key in catalogue(language())


def chosen_language(text: str) -> str:
    """One of ours, if the text is one: `fr`, `fr-CA`. Otherwise nothing."""
    primary = text.strip().lower().partition("-")[0]
    return primary if primary in LANGUAGES else ""


def accepted_language(header: str) -> str:
    """The first of ours in the order that the browser's `Accept-Language` prefers; English if there is none."""
    wanted = []
    for place, entry in enumerate(header[:1000].split(",")):
        tag, _, parameter = (part.strip() for part in entry.partition(";"))
        weight = _WEIGHT.fullmatch(parameter.replace(" ", ""))
        quality = float(weight[1]) if weight else 0.0 if parameter else 1.0
        if quality and (known := chosen_language(tag)):
            wanted.append((-quality, place, known))
    return min(wanted)[2] if wanted else DEFAULT_LANGUAGE


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of a language by their keys, such as `company.title`."""
    return dict(_flattened(json.loads((_FOLDER / f"{language}.json").read_text()), ""))


def _flattened(texts: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        if isinstance(text, str):
            yield prefix + name, text
        else:
            yield from _flattened(text, f"{prefix}{name}.")
