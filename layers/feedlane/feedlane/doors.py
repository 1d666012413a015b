"""What every door demands of text from outside, whatever it means: it can be encoded, stored and shown.

Each rule is checked once, where a request or a message comes in, and the error names the field and the rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from feedlane.errors import Invalid
from feedlane.text import encodable, text_fault

PATH_BYTES_MAX = 2048
# An id in a path becomes part of a key, of which DynamoDB takes 1,024 bytes.
SEGMENT_BYTES_MAX = 255
# More than HTTP APIs pass on: request lines and headers of 10,240 bytes in all, and what they add themselves.
HEAD_BYTES_MAX = 16_384
NESTING_MAX = 32
_PLACE = re.compile(r"[!-~]{1,512}")


def require_text(name: str, text: str) -> None:
    """Raises `Invalid` for the field `name`."""
    if rule := text_fault(text):
        raise Invalid.field(encodable(name.replace("\0", "")), rule, "Unicode")


def require_texts(fields: Mapping[str, str]) -> None:
    """The same for names and values, which together may have `HEAD_BYTES_MAX` bytes."""
    size = 0
    for name, value in fields.items():
        require_text(name, name)
        require_text(name, value)
        size += len(name) + len(value)
        if size > HEAD_BYTES_MAX:
            raise Invalid.field(name[:100], f"makes the request longer than {HEAD_BYTES_MAX:,} characters", "Length")


def require_json_texts(value: Any) -> None:
    """Raises `Invalid` for the first text in parsed JSON that breaks a rule, and for JSON that is nested too deeply."""
    pending: list[tuple[str, Any, int]] = [("", value, 0)]
    while pending:
        name, part, depth = pending.pop()
        if isinstance(part, str):
            require_text(name or "body", part)
        elif isinstance(part, (dict, list)):
            if depth >= NESTING_MAX:
                raise Invalid.field("body", f"must not be nested more than {NESTING_MAX} deep", "Nesting")
            members: Iterable[tuple[Any, Any]] = part.items() if isinstance(part, dict) else enumerate(part)
            for key, member in members:
                field = f"{name}.{key}" if name else str(key)
                if isinstance(key, str):
                    require_text(field, key)
                if isinstance(member, (str, dict, list)):
                    pending.append((field, member, depth + 1))


def require_path_length(raw: str) -> None:
    """Raises `Invalid` for a path that is too long: to find an account's id in it takes the square of its length."""
    require_text("path", raw)
    if len(raw) > PATH_BYTES_MAX:
        raise Invalid.field("path", f"must have at most {PATH_BYTES_MAX:,} characters", "Length")


def path_in(raw: str) -> str:
    """The decoded path. Raises `Invalid` unless it is UTF-8 in segments of at most `SEGMENT_BYTES_MAX` bytes."""
    require_path_length(raw)
    segments = [unquote_to_bytes(segment) for segment in raw.split("/")]
    try:
        path = b"/".join(segments).decode()
    except UnicodeDecodeError:
        raise Invalid.field("path", "must be percent-encoded UTF-8", "Unicode") from None
    require_text("path", path)
    if max(map(len, segments)) > SEGMENT_BYTES_MAX:
        raise Invalid.field("path", f"must have at most {SEGMENT_BYTES_MAX} bytes between two slashes", "Length")
    return path


def whole_number(name: str, text: str, minimum: int, maximum: int) -> int:
    """The number in a query or form field. Raises `Invalid`; only so many digits are converted as the maximum has."""
    digits = text if text.isascii() and text.isdigit() and len(text) <= len(str(maximum)) else ""
    if not digits or not minimum <= int(digits) <= maximum:
        raise Invalid.field(name, f"must be a whole number from {minimum} to {maximum}", "Range")
    return int(digits)


def place_in(name: str, text: str) -> str:
    """A place in a list, as our own links name it. Raises `Invalid` for what can be none."""
    if not _PLACE.fullmatch(text):
        raise Invalid.field(name, "must be the value in a page's next link", "Cursor")
    return text
