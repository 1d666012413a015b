"""Deliveries are tried: claimed, signed, posted, and what came of it written down with what follows from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane import event_payloads
from feedlane.clock import Clock
from feedlane.consumer import Consumer
from feedlane.delivery import CLAIM, GONE, OVERLOAD_SECONDS, Answer, Delivery, DeliveryState, Pause
from feedlane.envelope import body
from feedlane.errors import Unavailable
from feedlane.event import Event
from feedlane.ids import NewId
from feedlane.queues import Queues
from feedlane.signature import SecretsOf, signed_headers
from feedlane.store import deliveries, keys
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Contended, Write

LONGEST_DELAY = 900
FAILING_FOR = timedelta(days=5)
_TRIES = 8

Post = Callable[[str, dict[str, str], bytes], Answer]
Jitter = Callable[[], float]


@dataclass(frozen=True)
class Deliverer:
    """Every message leads to one more until its delivery has ended: so none is lost, and a second one does no harm.

    `jitter` is random, from -0.2 to 0.2.
    """

    store: Store
    queues: Queues
    secrets: SecretsOf
    post: Post
    clock: Clock
    jitter: Jitter
    new_id: NewId

    def deliver(self, consumer_id: str, event_id: str) -> Delivery | None:
        """One attempt, if it is time for one. The delivery after it, or None if there was none to make.

        An exception means that the message must come again.
        """
        now = self.clock()
        found = deliveries.find(self.store, consumer_id, event_id)
        delivery, consumer, pause = found.delivery, found.consumer, found.pause
        if delivery is None or consumer is None or delivery.has_ended:
            return None  # a deleted consumer's deliveries go no further
        if consumer.disabled:
            self._keep(delivery, consumer, now)
            return None
        until = _not_before(delivery, pause, now)
        if until is not None:
            self._later(delivery, until - now)
            return None
        event = deliveries.event_of(self.store, delivery)
        if event is None:
            self.store.commit(deliveries.put_delivery(delivery.but(state=DeliveryState.FAILURE), now))
            return None
        secrets = self.secrets(consumer_id)
        if not secrets:
            raise Unavailable(f"Consumer {consumer_id} has no signing secret")
        claimed = self._claim(delivery, pause, now)
        if claimed is None:
            return None
        return self._attempt(claimed, consumer, event, secrets)

    def _keep(self, delivery: Delivery, consumer: Consumer, now: datetime) -> None:
        """It goes on when the consumer is enabled. If that is happening now, the message comes again."""
        if delivery.state is not DeliveryState.WAITING:
            kept = deliveries.put_delivery(delivery.waiting(), now)
            self.store.commit(kept, deliveries.unchanged(consumer))

    def _later(self, delivery: Delivery, wait: timedelta) -> None:
        """A message waits fifteen minutes at most: one for hours comes round several times."""
        seconds = min(LONGEST_DELAY, max(1, math.ceil(wait.total_seconds())))
        self.queues.deliver(delivery.consumer_id, delivery.event_id, seconds)

    def _claim(self, delivery: Delivery, pause: Pause | None, now: datetime) -> Delivery | None:
        """The delivery as claimed; None if another worker was first (with this one, or with the consumer)."""
        claimed = delivery.claimed(now)
        writes: list[Write] = [deliveries.put_delivery(claimed, now)]
        if pause is not None and pause.seconds:
            writes.append(deliveries.put_pause(pause.tried(now), now))
        try:
            self.store.commit(*writes)
        except ConditionFailed:
            self._later(delivery, CLAIM)
            return None
        return claimed.but(version=delivery.version + 1)

    def _attempt(self, claimed: Delivery, consumer: Consumer, event: Event, secrets: list[str]) -> Delivery:
        content = body(event)
        headers = signed_headers(event.id, self.clock(), content, secrets)
        answer = self.post(consumer.url, headers, content)
        after = self._record(claimed, answer)
        if after.state is DeliveryState.ATTEMPTING and after.due is not None:
            self._later(after, after.due - self.clock())
        return after

    def _record(self, claimed: Delivery, answer: Answer) -> Delivery:
        """The attempt, and what it means for the consumer, in one commit. Raises `ConditionFailed` if the claim is lost."""
        now, jitter = self.clock(), self.jitter()
        tried = claimed.after(answer, now, jitter)
        for _ in range(_TRIES):
            found = deliveries.find(self.store, claimed.consumer_id, claimed.event_id)
            after, writes = tried, _pause_writes(claimed.consumer_id, found.pause, answer, now)
            if found.consumer is not None:
                consumer = judged(found.consumer, answer, now)
                if consumer != found.consumer:
                    writes.append(self.store.put_consumer(consumer))
                if consumer.disabled and not found.consumer.disabled:
                    reason = "gone" if answer.status == GONE else "failing"
                    event = event_payloads.consumer_disabled(self.new_id(), consumer, reason, now)
                    writes.append(emitted(event))
                if consumer.disabled and after.state is DeliveryState.ATTEMPTING:
                    after = after.waiting()
            try:
                self.store.commit(deliveries.put_delivery(after, now), *writes)
            except Contended:
                continue
            except ConditionFailed as failed:
                if keys.delivery(claimed.consumer_id, claimed.event_id) in failed.keys:
                    raise
                continue  # the consumer or its pause moved on meanwhile: look again
            return after
        raise ConditionFailed([])


def judged(consumer: Consumer, answer: Answer, now: datetime) -> Consumer:
    """The consumer after an answer: one success clears it; gone, or five days without one, disable it."""
    if answer.succeeded:
        return consumer.but(failing_since=None) if consumer.failing_since else consumer
    since = consumer.failing_since or now
    disabled = consumer.disabled or answer.status == GONE or now - since >= FAILING_FOR
    return consumer.but(failing_since=since, disabled=disabled)


def resume(store: Store, queues: Queues, consumer_id: str) -> int:
    """After a consumer was enabled: what waited for it goes on, in the order of the events. How many these are."""
    waiting = [
        delivery
        for delivery in deliveries.of_consumer(store, consumer_id)
        if delivery.state is DeliveryState.WAITING
    ]
    for delivery in waiting:
        queues.deliver(consumer_id, delivery.event_id, 0)
    return len(waiting)


def _not_before(delivery: Delivery, pause: Pause | None, now: datetime) -> datetime | None:
    """When to look again, if it is not time yet."""
    times = [delivery.not_before, pause.until if pause and pause.stands(now) else None]
    return max((time for time in times if time is not None and time > now), default=None)


def _pause_writes(consumer_id: str, pause: Pause | None, answer: Answer, now: datetime) -> list[Write]:
    """A consumer without time is paused, one that answers no longer.

    Many deliveries may find out at once: only the first pauses, and only the one that tried makes it longer.
    """
    if pause is None or not pause.seconds:
        if not answer.is_overload:
            return []
        begun = pause or Pause(consumer_id=consumer_id, until=now)
        return [deliveries.put_pause(begun.after(answer, now), now)]
    began = pause.until - timedelta(seconds=pause.seconds)
    del began
    return [deliveries.put_pause(pause.after(answer, now), now)]


_ = OVERLOAD_SECONDS
