"""The `Retry-After` header: seconds, or a date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Xero's longest limit is a day's. What asks for more is no answer to reckon with, and must not stop anybody for good.
LONGEST = 86_400
_MOST_DIGITS = 9


def retry_after(headers: Mapping[str, str], now: datetime) -> int | None:
    """Seconds to wait, 1 to `LONGEST`; None if the header is absent or says nothing that can be read."""
    value = headers.get("retry-after", "").strip()
    seconds = _seconds(value) if value.isascii() and value.isdigit() else _until(value, now)
    return None if seconds is None else min(LONGEST, max(1, seconds))


def _seconds(digits: str) -> int:
    """However many digits there are: `int` refuses thousands of them."""
    significant = digits.lstrip("0")
    return LONGEST if len(significant) > _MOST_DIGITS else int(significant or "0")


def _until(date: str, now: datetime) -> int | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return round((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
