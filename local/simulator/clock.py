"""The simulator's clock. It measures every expiry, window and delay, so tests can advance time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Real time plus what tests have advanced. A fixed `base` stops time."""

    def __init__(self, base: Callable[[], datetime] = utc_now) -> None:
        self._base = base
        self._offset = timedelta()

    def now(self) -> datetime:
        return self._base() + self._offset

    def advance(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)

    def reset(self) -> None:
        self._offset = timedelta()

    @property
    def advanced_seconds(self) -> float:
        return self._offset.total_seconds()


def xero_timestamp(moment: datetime) -> str:
    """Xero's format for connections: seven fractional digits and no zone."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


def plain_timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
