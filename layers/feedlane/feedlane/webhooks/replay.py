"""A replay: sends deliveries of one consumer again, one by one, in the order of their events. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from feedlane.record import Record
from feedlane.webhooks.delivery import NOT_ARRIVED, Delivery, DeliveryState

# After so many attempts a replay moves past a delivery, which then follows its own schedule.
ATTEMPTS_PER_DELIVERY_MAX = 3
# A delivery without an attempt this long after its event has lost its message.
LOST_AFTER = timedelta(hours=1)
# A replay whose step is this late has lost its message. It is queued again so many times, and then given up: after two
# days, because an outage may last for one.
STALLED_AFTER = timedelta(minutes=10)
REQUEUES_MAX = 288


class Selection(StrEnum):
    FAILED = "failed"
    """Deliveries without success: given up, between two attempts, or waiting for a disabled consumer."""
    ALL = "all"
    """Delivered ones too."""
    WAITING = "waiting"
    """Deliveries that waited while the consumer was disabled: sent when it is enabled."""


class ReplayState(StrEnum):
    RUNNING = "Running"
    DONE = "Done"
    STOPPED = "Stopped"
    """The consumer was disabled or deleted."""
    FAILED = "Failed"
    """Its steps kept failing; what it has not sent is unchanged."""


class ReplayStep(StrEnum):
    """What a replay does about the delivery it has reached."""

    SEND = "send"
    WAIT = "wait"
    NEXT = "next"


class Replay(Record):
    """`since` and `until` are times of events. `place` is a cursor: the replay has dealt with all deliveries up to it.

    `looks` is 1 once the list is read for the second time. `due` is the time of the next step. `rung` counts how often
    the message was queued again since the last step.
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
        """Whether its message is probably lost. A second message for one that is not does no harm."""
        return self.is_running and now - (self.due or self.started) > STALLED_AFTER

    @property
    def is_exhausted(self) -> bool:
        return self.rung >= REQUEUES_MAX

    def requeued(self, now: datetime) -> Replay:
        return self.but(rung=self.rung + 1, due=now)

    def stepped(self, now: datetime, wait: timedelta) -> Replay:
        """With a step done; the next one is due in `wait`."""
        return self.but(rung=0, due=now + wait)

    def concerns(self, delivery: Delivery) -> bool:
        """Whether the delivery has to be read to decide about it, judged by the list, which may be slightly stale.

        Only a replay changes a delivery that has succeeded, so that state can be trusted.
        """
        if self.company_id not in (None, delivery.company_id):
            return False
        is_delivered = delivery.state is DeliveryState.SUCCESS
        return self.which is Selection.ALL or not is_delivered or self.has_attempted(delivery)

    def next_step(self, delivery: Delivery, now: datetime) -> ReplayStep:
        """Sends nothing that has ended since the replay started: neither a crash nor a second message sends twice."""
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
        """Whether its schedule began within this replay. An older one may be due only in hours, and is restarted.

        For example, after five attempts last night and one by this replay, `tries` is 1 if the replay restarted the
        schedule. It is 6 if that attempt belonged to the old one.
        """
        return self.has_attempted(delivery) and delivery.tries <= self._tries(delivery)

    def moved_past(self, delivery: Delivery, place: str) -> Replay:
        """With the cursor behind the delivery, and its result counted."""
        if not self.has_attempted(delivery):
            return self.but(place=place)
        has_succeeded = delivery.state is DeliveryState.SUCCESS
        return self.but(place=place, succeeded=self.succeeded + has_succeeded, failed=self.failed + (not has_succeeded))

    def ended_as(self, state: ReplayState, now: datetime) -> Replay:
        return self.but(state=state, ended=now)

    def log_facts(self) -> dict[str, Any]:
        """What the log says about the replay after a step."""
        facts = self.model_dump(mode="json", include={"consumer_id", "state", "succeeded", "failed"})
        return facts | {"replay_id": self.id}

    def _tries(self, delivery: Delivery) -> int:
        return sum(attempt.time >= self.started for attempt in delivery.attempts)

    def _wants(self, delivery: Delivery) -> bool:
        """Whether the replay is to send a delivery that it has not attempted yet.

        A delivery without attempts is on its way by itself, unless its message is lost. One with a claim that has
        expired was left by a crash.
        """
        if delivery.claimed_until or (delivery.state is DeliveryState.SENDING and delivery.attempts):
            return True
        if self.which is Selection.WAITING:
            return delivery.state is DeliveryState.WAITING
        if delivery.state is DeliveryState.SENDING:
            return self.started - delivery.event_time > LOST_AFTER
        return self.which is Selection.ALL or delivery.state in NOT_ARRIVED


def wait_for(delivery: Delivery, now: datetime, wait_min: timedelta) -> timedelta:
    """How long to wait for a delivery that another worker attempts or that is between two attempts."""
    return max(wait_min, (delivery.not_before or now) - now)
