"""The templates, with the style sheet and script that each page embeds: a page loads neither from a URL."""

from __future__ import annotations

import base64
import hashlib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).parent / "templates"
_SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€", "AUD": "A$", "NZD": "NZ$", "CAD": "C$", "SGD": "S$", "HKD": "HK$"}

STYLE = (_FOLDER / "style.css").read_text()
SCRIPT = (_FOLDER / "refresh.js").read_text()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLE_HASH = _hash(STYLE)
SCRIPT_HASH = _hash(SCRIPT)


def render(template: str, **context: Any) -> str:
    return _environment.get_template(f"{template}.html").render(style=STYLE, script=SCRIPT, **context)


def money(amount: Decimal, currency: str) -> str:
    """`£1,250.00`, or `1,250.00 CHF` for a currency without a well-known symbol."""
    text = f"{abs(amount):,.2f}"
    sign = "−" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{text}" if symbol else f"{sign}{text} {currency}"


def day(value: str | date | datetime | None) -> str:
    """`2 May 2026`: day and month cannot be confused."""
    if isinstance(value, str) and value:
        value = date.fromisoformat(value[:10])
    return "" if not value or isinstance(value, str) else f"{value.day} {value:%B %Y}"


def moment(value: datetime | None) -> str:
    return f"{value.day} {value:%b %Y, %H:%M} UTC" if value else ""


def last_four(number: str) -> str:
    """The last four characters: enough to recognise an account."""
    return number[-4:]


_environment = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
)
_environment.filters |= {"money": money, "day": day, "moment": moment, "last_four": last_four}
