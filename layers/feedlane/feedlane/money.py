"""Money: `Decimal` from the wire to Xero, never a float."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

# Xero's amounts are decimal(19,4), unsigned.
DECIMAL_PLACES_MAX = 4
AMOUNT_MAX = Decimal("999999999999999.9999")
# `Decimal` itself also reads `1_000`, `NaN` and the digits of every script.
_DECIMAL_TEXT = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_LAST_PLACE = Decimal(1).scaleb(-DECIMAL_PLACES_MAX)


def loads(text: str | bytes) -> Any:
    """JSON with every number that has a fraction or an exponent as `Decimal`. Raises `ValueError`.

    A byte order mark in front is ignored, as RFC 8259 allows (8.1): some editors and writers of files add it.
    """
    if isinstance(text, str):
        text = text.removeprefix("\ufeff")
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except InvalidOperation:
        raise ValueError("a number's exponent is out of range") from None


def dumps(value: Any) -> str:
    """Compact JSON; a `Decimal` is written as a number, digit for digit."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{text(str(key))}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dumps, value)) + "]"
    return text(value)


def text(value: Any) -> str:
    """The JSON of a string, an integer, a boolean or null."""
    return json.dumps(value, ensure_ascii=False)


def amount(value: Any) -> Decimal:
    """A finite decimal of at most 19 digits, 4 of them after the decimal point. Raises `ValueError` with the rule."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise ValueError("must be a decimal number")
    if isinstance(value, str) and not _DECIMAL_TEXT.fullmatch(value):
        raise ValueError("must be a decimal number")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("must be a finite number")
    if abs(number) > AMOUNT_MAX:
        raise ValueError("must have at most 15 digits before the decimal point")
    if number != number.quantize(_LAST_PLACE):
        raise ValueError(f"must have at most {DECIMAL_PLACES_MAX} decimal places")
    return number


def plain(number: Decimal) -> str:
    """Digits without an exponent and without trailing zeros after the point: `100`, `-40.25`, `0`."""
    digits = str(number)
    if "E" in digits:
        digits = format(number, "f")
    if digits[-1] == "0" and "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
