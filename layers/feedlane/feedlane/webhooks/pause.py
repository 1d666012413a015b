"""A pause: an overloaded consumer gets no webhooks for a while (a circuit breaker). Pure."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from feedlane.record import Record
from feedlane.webhooks.delivery import CLAIM_LIFETIME, OVERLOAD_PAUSE_SECONDS, Answer

PAUSE_SECONDS_MAX = 900
# A consumer that has answered within this time gets many deliveries at once; any other gets one first.
TRUST_PERIOD = timedelta(seconds=60)
# As `Pause.seconds`, not a duration: the time of the pause is over, and one delivery tests the consumer.
HALF_OPEN = 1


class Pause(Record):
    """When its time is over, one delivery tests the consumer, and the others wait for the result.

    Otherwise each delivery to a consumer that hangs would occupy a worker until it times out, and block deliveries to
    other consumers. `seconds` is 0 if there is no pause, and `HALF_OPEN` while a consumer that has not answered lately
    is tested.
    """

    consumer_id: str
    until: datetime
    seconds: int = 0
    version: int = 0

    @classmethod
    def in_force(cls, stored: Pause | None, consumer_id: str, now: datetime) -> Pause:
        """The stored pause, or a half-open one if the consumer has not answered lately.

        Otherwise all workers would post to a consumer that hangs before the first of them noticed.
        """
        if stored is None:
            return cls(consumer_id=consumer_id, until=now, seconds=HALF_OPEN)
        if stored.is_active or now - stored.until < TRUST_PERIOD:
            return stored
        return stored.but(until=now, seconds=HALF_OPEN)

    @property
    def is_half_open(self) -> bool:
        return self.seconds == HALF_OPEN

    @property
    def is_active(self) -> bool:
        """Still true when its time is over, until a delivery has tested the consumer."""
        return self.seconds > 0

    def claimed(self, now: datetime) -> Pause:
        """Once this is stored, its writer alone may test the consumer until the claim expires."""
        if self.is_half_open:
            return self.but(until=now + CLAIM_LIFETIME)
        return self.but(until=now + min(CLAIM_LIFETIME, timedelta(seconds=self.seconds)))

    def should_record_success(self, answer: Answer, now: datetime) -> bool:
        """Whether a quick answer is recorded, to extend the trust: twice per trust period is enough."""
        return not (self.is_active or answer.is_overload or answer.is_slow) and now - self.until > TRUST_PERIOD / 2

    def after_answer(self, answer: Answer, now: datetime) -> Pause:
        """Over, or twice as long as before; as long as `Retry-After` says, within bounds.

        A slow consumer is tested again at once, by one delivery; the others wait for as long as its answer took.
        """
        if not answer.is_overload:
            seconds = math.ceil(answer.duration_ms / 1000) if answer.is_slow else 0
            return self.but(seconds=seconds, until=now)
        seconds = min(max(OVERLOAD_PAUSE_SECONDS, 2 * self.seconds, answer.retry_after or 0), PAUSE_SECONDS_MAX)
        return self.but(seconds=seconds, until=now + timedelta(seconds=seconds))
