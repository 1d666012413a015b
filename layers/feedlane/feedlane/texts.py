"""What customers read, in their language. Each language has one catalogue in `languages/`: another one is another file.

Pages of the portal are in English. Placeholders are those of `str.format`; a key that ends in `.one` or `.other` is
chosen by a number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "languages"
DEFAULT_LANGUAGE = "en"
LANGUAGES = tuple(sorted(file.stem for file in _FOLDER.glob("*.json")))
# From this number on, a language uses the plural. English has none but for one; French says "0 compte".
_PLURAL_FROM = {"fr": 2}
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


def say_number(key: str, number: int, **facts: Any) -> str:
    """The text `{key}.one` or `{key}.other`, with `number` as a placeholder."""
    is_one = number < _PLURAL_FROM[language()] if language() in _PLURAL_FROM else number == 1
    return say(f"{key}.{'one' if is_one else 'other'}", number=number, **facts)


def has_text(key: str) -> bool:
    return key in catalogue(language())


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
