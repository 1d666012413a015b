"""A replay: deliveries of one consumer that are sent once more, one by one, in the order of their events. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from feedlane.record import Record
from feedlane.webhooks.delivery import NOT_ARRIVED, Delivery, DeliveryState

# How often a replay tries one delivery before it goes on past it: that one then follows its own schedule.
ATTEMPTS_PER_DELIVERY_MAX = 3
LOST_AFTER = timedelta(hours=1)
# A replay whose step is so late has lost its message; it is rung for again so often, and then given up.
STALLED_AFTER = timedelta(minutes=10)
REQUEUES_MAX = 12


class Selection(StrEnum):
    FAILED = "failed"
    """What did not arrive: given up, or between two attempts; also what waited for a disabled consumer."""
    ALL = "all"
    """What arrived as well."""
    WAITING = "waiting"
    """What waited while the consumer was disabled: sent when it is enabled."""


class ReplayState(StrEnum):
    RUNNING = "Running"
    DONE = "Done"
    STOPPED = "Stopped"
    """The consumer was disabled or deleted."""
    FAILED = "Failed"
    """Its steps failed again and again: what it has not sent is as it was."""


class ReplayStep(StrEnum):
    """What is to be done about a delivery whose turn it is."""

    SEND = "send"
    WAIT = "wait"
    NEXT = "next"


class Replay(Record):
    """`since` and `until` are times of events. `place` is how far it has come; what lies before has had its turn.

    `due`: when its next step should be. `rung`: how often it was rung for again since its last step.
    """

    id: str
    consumer_id: str
    which: Selection = Selection.FAILED
    since: datetime
    until: datetime
    company_id: str | None = None
    started: datetime
    state: ReplayState = ReplayState.RUNNING
    place: str = ""
    succeeded: int = 0
    failed: int = 0
    looks: int = 0
    due: datetime | None = None
    rung: int = 0
    ended: datetime | None = None
    version: int = 0

    @property
    def is_running(self) -> bool:
        return self.state is ReplayState.RUNNING

    def is_stalled(self, now: datetime) -> bool:
        """Its message is nowhere any more, as far as one can tell: ringing for one that is not lost does no harm."""
        return self.is_running and now - (self.due or self.started) > STALLED_AFTER

    @property
    def is_exhausted(self) -> bool:
        return self.rung >= REQUEUES_MAX

    def requeued(self, now: datetime) -> Replay:
        return self.but(rung=self.rung + 1, due=now)

    def stepped(self, now: datetime, wait: timedelta) -> Replay:
        """After a step; the next one is due in `wait`."""
        return self.but(rung=0, due=now + wait)

    def concerns(self, delivery: Delivery) -> bool:
        """As far as a list can say, which may be a moment old: what has arrived stays so until a replay."""
        if self.company_id not in (None, delivery.company_id):
            return False
        return (
            self.which is Selection.ALL or delivery.state is not DeliveryState.SUCCESS or self.has_attempted(delivery)
        )

    def next_step(self, delivery: Delivery, now: datetime) -> ReplayStep:
        """What ended since the replay started is not sent again: a crash, or a second bell, doubles nothing."""
        if self.has_attempted(delivery):
            if delivery.has_ended or self._tries(delivery) >= ATTEMPTS_PER_DELIVERY_MAX:
                return ReplayStep.NEXT
        elif not self._wants(delivery):
            return ReplayStep.NEXT
        not_before = delivery.not_before if self.has_begun(delivery) else delivery.claimed_until
        return ReplayStep.WAIT if not_before and not_before > now else ReplayStep.SEND

    def has_attempted(self, delivery: Delivery) -> bool:
        return self._tries(delivery) > 0

    def has_begun(self, delivery: Delivery) -> bool:
        """Whether all of its schedule lies in the replay: one from before may be hours away, and is begun anew."""
        return self.has_attempted(delivery) and delivery.tries <= self._tries(delivery)

    def moved_past(self, delivery: Delivery, place: str) -> Replay:
        """It has had its turn."""
        if not self.has_attempted(delivery):
            return self.but(place=place)
        succeeded = delivery.state is DeliveryState.SUCCESS
        return self.but(place=place, succeeded=self.succeeded + succeeded, failed=self.failed + (not succeeded))

    def ended_as(self, state: ReplayState, now: datetime) -> Replay:
        return self.but(state=state, ended=now)

    def _tries(self, delivery: Delivery) -> int:
        return sum(attempt.time >= self.started for attempt in delivery.attempts)

    def _wants(self, delivery: Delivery) -> bool:
        """One without any attempt is on its way by itself, unless its message was lost long ago.

        One that is claimed, and whose claim is over, was left by a crash.
        """
        if delivery.claimed_until or (delivery.state is DeliveryState.SENDING and delivery.attempts):
            return True
        if self.which is Selection.WAITING:
            return delivery.state is DeliveryState.WAITING
        if delivery.state is DeliveryState.SENDING:
            return self.started - delivery.event_time > LOST_AFTER
        return self.which is Selection.ALL or delivery.state in NOT_ARRIVED


def wait_for(delivery: Delivery, now: datetime, at_least: timedelta) -> timedelta:
    """How long until there may be news of a delivery that is tried by others or between two attempts."""
    return max(at_least, (delivery.not_before or now) - now)
