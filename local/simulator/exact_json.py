"""JSON in and out without floats: a JSON number with a fraction is a Decimal on both sides."""

from typing import Any

import simplejson


def read(body: bytes) -> Any:
    """Parse a body. Raises ValueError when it is not JSON (NaN and Infinity are not)."""
    return simplejson.loads(body, use_decimal=True)


def write(value: Any) -> bytes:
    text: str = simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()
