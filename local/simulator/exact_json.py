"""JSON in and out without floats: a JSON number with a fraction is a Decimal on both sides."""

from typing import Any

import simplejson


def read(body: bytes) -> Any:
    """Parse a body. Raises ValueError when it is not JSON (NaN and Infinity are not)."""
    return simplejson.loads(body, use_decimal=True, parse_constant=_refuse_constant)


def write(value: Any) -> bytes:
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":")).encode()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
