"""The `Retry-After` header: seconds, or a date. Read strictly from Xero, leniently from consumers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Xero's longest limit is a day's, and whatever it asks for is kept. Only what is longer than any limit or maintenance
# is a mistake of something in between, which must not stop a feed for good: after this time, Xero is asked again.
RETRY_AFTER_SECONDS_MAX = 7 * 86_400
_DIGITS_MAX = 9


def xero_retry_after(headers: Mapping[str, str], now: datetime) -> int | None:
    """Seconds to wait, 1 to `RETRY_AFTER_SECONDS_MAX`; None if the header is absent or not readable.

    Whole seconds only, as the standard has it.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        seconds: float | None = _whole(value)
    else:
        seconds = _seconds_until(value, now)
    return None if seconds is None else min(RETRY_AFTER_SECONDS_MAX, max(1, round(seconds)))


def consumer_retry_after(value: str, now: datetime) -> int | None:
    """Seconds that a consumer asks for, from 0; None if the value is not readable. Fractions are rounded up.

    There is no maximum: each caller has its own.
    """
    try:
        seconds: float | None = float(value)
    except ValueError:
        seconds = _seconds_until(value, now)
    return None if seconds is None or not math.isfinite(seconds) else max(0, math.ceil(seconds))


def _whole(digits: str) -> int:
    """Any number of digits: `int` refuses thousands of them."""
    significant = digits.lstrip("0")
    return RETRY_AFTER_SECONDS_MAX if len(significant) > _DIGITS_MAX else int(significant or "0")


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
