"""A pause: a consumer that has no time is left alone for a while. Pure."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from feedlane.delivery import CLAIM, OVERLOAD_SECONDS, Answer
from feedlane.record import Record

LONGEST = 900
# Whoever has answered within this time is trusted with many deliveries at once; anybody else with one, to begin with.
PROOF = timedelta(seconds=60)
PROVING = 1


class Pause(Record):
    """When it is over, one delivery tries the consumer, and the others wait for what that one finds.

    Otherwise each delivery to a consumer that hangs would occupy a worker for as long as we wait for it, and those to
    others would stand behind them. 0 seconds: no pause, the last one is over.
    """

    consumer_id: str
    until: datetime
    seconds: int = 0
    version: int = 0

    @classmethod
    def for_now(cls, found: Pause | None, consumer_id: str, now: datetime) -> Pause:
        """The pause as it is in the table; of a consumer that has not answered lately, one to be proved over.

        All workers would run into one that hangs before the first of them knows it.
        """
        if found is None:
            return cls(consumer_id=consumer_id, until=now, seconds=PROVING)
        return found if found.is_on or now - found.until < PROOF else found.but(until=now, seconds=PROVING)

    @property
    def is_proving(self) -> bool:
        return self.seconds == PROVING

    @property
    def is_on(self) -> bool:
        """Also when its time has come and nobody has tried yet."""
        return self.seconds > 0

    def tried(self, now: datetime) -> Pause:
        """Somebody tries the consumer now."""
        return self.but(until=now + (CLAIM if self.is_proving else min(CLAIM, timedelta(seconds=self.seconds))))

    def proved(self, answer: Answer, now: datetime) -> bool:
        """Whether an answer in time is worth writing down: once in a while is enough."""
        return not (self.is_on or answer.is_overload or answer.is_slow) and now - self.until > PROOF / 2

    def after(self, answer: Answer, now: datetime) -> Pause:
        """Over, or twice as long as the one before; as long as the consumer asked for, within bounds.

        One that is slow is tried again at once, by one delivery alone: the others wait for as long as it took.
        """
        if not answer.is_overload:
            seconds = math.ceil(answer.duration_ms / 1000) if answer.is_slow else 0
            return self.but(seconds=seconds, until=now)
        seconds = min(max(OVERLOAD_SECONDS, 2 * self.seconds, answer.retry_after or 0), LONGEST)
        return self.but(seconds=seconds, until=now + timedelta(seconds=seconds))
