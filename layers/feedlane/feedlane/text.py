"""Text that can be encoded, and so be stored, sent and shown.

JSON and percent-encoding can carry half a surrogate pair, which has no encoding: no table, queue or bus takes it.
"""

from __future__ import annotations

import re
from typing import Any

UNICODE_RULE = "must be valid Unicode, without unpaired surrogates"
NUL_RULE = "must not contain the character NUL"
CONTROL_RULE = "must not contain control characters"
# What no XML can hold, and so what Xero's other APIs refuse: controls except tab and line ends, and two non-characters.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# What a decoder puts in place of bytes that it could not read.
REPLACEMENT = "\ufffd"


def text_fault(text: str) -> str:
    """The rule that the text breaks; empty if it breaks none."""
    if "\0" in text:
        return NUL_RULE
    return "" if is_unicode(text) else UNICODE_RULE


def is_plain(text: str) -> bool:
    """Whether it has only ASCII's letters, digits and signs, as most texts have: then nothing is wrong with it."""
    return text.isascii() and text.isprintable()


def has_controls(text: str) -> bool:
    """Whether it has characters that Xero may refuse: controls except tab and line ends."""
    return not text.isprintable() and _CONTROL.search(text) is not None


def without_controls(text: str) -> str:
    """The text with a space in place of each of them."""
    return _CONTROL.sub(" ", text)


def is_unicode(text: str) -> bool:
    """Whether the text can be encoded."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def encodable(text: str) -> str:
    """The text with `?` in place of all that cannot be encoded: for text that cannot be sent back."""
    return text if is_unicode(text) else text.encode("utf-8", "replace").decode()


def encodable_json(value: Any) -> Any:
    """The same for all text in parsed JSON."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {encodable(name): encodable_json(item) for name, item in value.items()}
    return [encodable_json(item) for item in value] if isinstance(value, list) else value
