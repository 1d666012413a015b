"""JSON for people to read: laid out, with every amount digit for digit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedlane import money

_INDENT = "  "


def laid_out(value: Any, indent: str = "") -> str:
    """One field or item a line. What has none stays on its line."""
    inner = indent + _INDENT
    if isinstance(value, Mapping) and value:
        lines = [f"{inner}{money.text(str(name))}: {laid_out(part, inner)}" for name, part in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, (list, tuple)) and value:
        return "[\n" + ",\n".join(f"{inner}{laid_out(part, inner)}" for part in value) + f"\n{indent}]"
    return money.dumps(value)
