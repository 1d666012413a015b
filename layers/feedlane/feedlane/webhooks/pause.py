"""A pause: a consumer that has no time is left alone for a while. Pure."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from feedlane.record import Record
from feedlane.webhooks.delivery import CLAIM_LIFETIME, OVERLOAD_PAUSE_SECONDS, Answer

PAUSE_SECONDS_MAX = 900
# Whoever has answered within this time is trusted with many deliveries at once; anybody else with one, to begin with.
TRUST_PERIOD = timedelta(seconds=60)
HALF_OPEN = 1


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
    def in_force(cls, found: Pause | None, consumer_id: str, now: datetime) -> Pause:
        """The pause as it is in the table; of a consumer that has not answered lately, one to be proved over.

        All workers would run into one that hangs before the first of them knows it.
        """
        if found is None:
            return cls(consumer_id=consumer_id, until=now, seconds=HALF_OPEN)
        return found if found.is_active or now - found.until < TRUST_PERIOD else found.but(until=now, seconds=HALF_OPEN)

    @property
    def is_half_open(self) -> bool:
        return self.seconds == HALF_OPEN

    @property
    def is_active(self) -> bool:
        """Also when its time has come and nobody has tried yet."""
        return self.seconds > 0

    def claimed(self, now: datetime) -> Pause:
        """Somebody tries the consumer now."""
        return self.but(
            until=now + (CLAIM_LIFETIME if self.is_half_open else min(CLAIM_LIFETIME, timedelta(seconds=self.seconds)))
        )

    def should_record_success(self, answer: Answer, now: datetime) -> bool:
        """Whether an answer in time is worth writing down: once in a while is enough."""
        return not (self.is_active or answer.is_overload or answer.is_slow) and now - self.until > TRUST_PERIOD / 2

    def after_answer(self, answer: Answer, now: datetime) -> Pause:
        """Over, or twice as long as the one before; as long as the consumer asked for, within bounds.

        One that is slow is tried again at once, by one delivery alone: the others wait for as long as it took.
        """
        if not answer.is_overload:
            seconds = math.ceil(answer.duration_ms / 1000) if answer.is_slow else 0
            return self.but(seconds=seconds, until=now)
        seconds = min(max(OVERLOAD_PAUSE_SECONDS, 2 * self.seconds, answer.retry_after or 0), PAUSE_SECONDS_MAX)
        return self.but(seconds=seconds, until=now + timedelta(seconds=seconds))
