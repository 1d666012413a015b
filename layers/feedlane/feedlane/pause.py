"""A pause: a consumer that has no time is left alone for a while. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.delivery import CLAIM, OVERLOAD_SECONDS, Answer
from feedlane.record import Record

LONGEST = 900


class Pause(Record):
    """When it is over, one delivery tries the consumer, and the others wait for what that one finds.

    Otherwise each delivery to a consumer that hangs would occupy a worker for as long as we wait for it, and those to
    others would stand behind them. 0 seconds: no pause, the last one is over.
    """

    consumer_id: str
    until: datetime
    seconds: int = 0
    version: int = 0

    @property
    def is_on(self) -> bool:
        """Also when its time has come and nobody has tried yet."""
        return self.seconds > 0

    def tried(self, now: datetime) -> Pause:
        """Somebody tries the consumer now."""
        return self.but(until=now + CLAIM)

    def after(self, answer: Answer, now: datetime) -> Pause:
        """Over, or twice as long as the one before; as long as the consumer asked for, within bounds."""
        if not answer.is_overload:
            return self.but(seconds=0, until=now)
        seconds = min(max(OVERLOAD_SECONDS, 2 * self.seconds, answer.retry_after or 0), LONGEST)
        return self.but(seconds=seconds, until=now + timedelta(seconds=seconds))
