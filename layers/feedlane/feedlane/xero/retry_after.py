"""The `Retry-After` header: seconds, or a date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], now: datetime) -> int | None:
    """Seconds to wait, at least 1; None if the header is absent or says nothing that can be read."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return max(1, int(value))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return max(1, round(seconds))
