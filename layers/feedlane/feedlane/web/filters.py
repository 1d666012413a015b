"""How values are shown in the templates: times, money, counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from markupsafe import Markup

from feedlane.clock import iso, system_clock
from feedlane.texts import say

_SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€", "AUD": "A$", "NZD": "NZ$", "CAD": "C$", "SGD": "S$", "HKD": "HK$"}
# From the shortest: how long it lasts in seconds, and its name. The next one is used from two of it on, or from one.
_UNITS = ((60, "minute"), (3_600, "hour"), (86_400, "day"), (30 * 86_400, "month"), (365 * 86_400, "year"))
_JUST_NOW = timedelta(seconds=45)
_shown_at: ContextVar[datetime | None] = ContextVar("shown_at", default=None)


@contextmanager
def shown_at(now: datetime | None) -> Iterator[None]:
    """What is rendered inside says how long ago things were as seen from `now`. None: from the present."""
    before = _shown_at.set(now)
    try:
        yield
    finally:
        _shown_at.reset(before)


def money(amount: Decimal, currency: str) -> str:
    """`£1,250.00`, or `1,250.00 CHF` for a currency without a well-known symbol; in French `1 250,00 £`."""
    separators = {",": say("format.thousands"), ".": say("format.decimal")}
    text = "".join(separators.get(character, character) for character in f"{abs(amount):,.2f}")
    facts = {"sign": "−" if amount < 0 else "", "amount": text, "currency": currency}
    symbol = _SYMBOLS.get(currency)
    return say("format.money", symbol=symbol, **facts) if symbol else say("format.money-by-code", **facts)


def number(value: int) -> str:
    """`12,450`."""
    return f"{value:,}"


def counted(value: int, noun: str, plural: str = "") -> str:
    """`1 account`, `1,250 accounts`."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def day(value: str | date | datetime | None) -> str:
    """`2 May 2026`, in French `2 mai 2026`: day and month cannot be confused."""
    if isinstance(value, str) and value:
        value = date.fromisoformat(value[:10])
    if not value or isinstance(value, str):
        return ""
    month = say("format.months").split()[value.month - 1]
    return say("format.first-day" if value.day == 1 else "format.day", day=value.day, month=month, year=value.year)


def short_day(value: str | date | datetime | None) -> str:
    """`2 Nov 2026`, for the cells of tables."""
    text = day(value)
    if not text:
        return ""
    number, month, year = text.split(" ")
    return f"{number} {month[:3]} {year}"


def moment(value: datetime | None) -> Markup:
    """`2 May 2026, 03:18 UTC`, which the script turns into the reader's zone. How long ago that was is its title."""
    return _time(value, "at", _absolute(value), _relative(value)) if value else Markup()


def ago(value: datetime | None) -> Markup:
    """`3 minutes ago`. Its title is the time itself."""
    return _time(value, "ago", _relative(value), _absolute(value)) if value else Markup()


def lasted(value: timedelta) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    seconds = value.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def last_four(number: str) -> str:
    """The last four characters: enough to recognise an account."""
    return number[-4:]


def _time(value: datetime, kind: str, text: str, title: str) -> Markup:
    return Markup('<time datetime="{}" data-time="{}" title="{}">{}</time>').format(iso(value), kind, title, text)


def _absolute(value: datetime) -> str:
    value = value.astimezone(UTC)
    return f"{value.day} {value:%b %Y, %H:%M} UTC"


def _relative(value: datetime) -> str:
    distance = value - (_shown_at.get() or system_clock())
    if abs(distance) < _JUST_NOW:
        return "just now"
    seconds = abs(distance).total_seconds()
    length, unit = next((unit for unit in reversed(_UNITS) if seconds >= unit[0]), _UNITS[0])
    words = counted(max(1, round(seconds / length)), unit)
    return f"in {words}" if distance > timedelta(0) else f"{words} ago"
