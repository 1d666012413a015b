"""JSON from outside that has to be an object."""

from __future__ import annotations

import json
from typing import Any

from feedlane.text import encodable_json


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """The object in `text`; None for any other value, and for text that is not JSON.

    What cannot be encoded is replaced: no answer of another system may stop what stores or reports it.
    """
    value = json_value(text)
    return value if isinstance(value, dict) else None


def json_value(text: str | bytes) -> Any:
    """The same for any value; None for text that is not JSON, or nested too deeply."""
    try:
        return encodable_json(json.loads(text))
    except (ValueError, RecursionError):
        return None
