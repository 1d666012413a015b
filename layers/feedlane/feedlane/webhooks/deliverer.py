"""Attempts deliveries: claims, signs and posts each, and records the answer with its consequences in one commit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.errors import Unavailable
from feedlane.events.envelope import webhook_body
from feedlane.events.outbox import put_event
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX
from feedlane.store.attempts import attempts
from feedlane.store.table import ConditionFailed, Write
from feedlane.webhooks import events as webhook_events
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.attempt_counts import count_attempt
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import CLAIM_LIFETIME, STATUS_GONE, Answer, Delivery, DeliveryState
from feedlane.webhooks.pause import Pause
from feedlane.webhooks.signature import HeadersOf, SecretsOf, signed_headers

DISABLE_AFTER = timedelta(days=5)
# While one delivery tests a consumer that has not answered lately, the others check again this soon.
TRIAL_RECHECK_DELAY = timedelta(seconds=1)

Post = Callable[[str, dict[str, str], bytes], Answer]
Jitter = Callable[[], float]


@dataclass(frozen=True)
class _Claim:
    """The right to make one attempt, with the delivery and the consumer's pause as stored for it.

    `is_trial`: this attempt alone tests whether the pause is over.
    """

    delivery: Delivery
    consumer: Consumer
    pause: Pause | None
    is_trial: bool


@dataclass(frozen=True)
class Deliverer:
    """Makes at most one attempt per message, and queues the next message until the delivery has ended.

    So none is lost, and a second message for one does no harm. `jitter` is random, from -0.2 to 0.2.
    """

    ports: Ports
    secrets: SecretsOf
    post: Post
    jitter: Jitter
    headers: HeadersOf

    def deliver(self, consumer_id: str, event_id: str) -> Delivery | None:
        """Makes one attempt if one is due. The delivery after it, or None if none was made.

        After an exception the message must be received again.
        """
        now = self.ports.clock()
        inputs = webhook_items.find_attempt_inputs(self.ports.store, consumer_id, event_id)
        delivery, consumer = inputs.delivery, inputs.consumer
        if delivery is None or consumer is None or delivery.has_ended:
            return None  # without a consumer: it was deleted, and so its deliveries end here
        if consumer.disabled:
            self._keep_for_later(delivery, consumer, now)
            return None
        pause = Pause.in_force(inputs.pause, consumer_id, now)
        wait = _time_until_due(delivery, pause, now)
        if wait:
            self.schedule_attempt(delivery, wait)
            return None
        return self.attempt(delivery, consumer, pause)

    def attempt(self, delivery: Delivery, consumer: Consumer, pause: Pause | None) -> Delivery | None:
        """Makes one attempt now. The delivery after it, or None if another worker is making one."""
        now, event = self.ports.clock(), webhook_items.find_event(self.ports.store, delivery)
        if event is None:  # it has expired from the outbox
            ended = delivery.but(state=DeliveryState.FAILURE)
            self.ports.store.commit(webhook_items.put_delivery(ended, now))
            return ended
        secrets = self.secrets(consumer)
        if not secrets:
            raise Unavailable(f"Consumer {consumer.id} has no signing secret")
        headers = self.headers(consumer) if consumer.header_names else {}
        claim = self._claim(delivery, consumer, pause, now)
        if claim is None:
            self.schedule_attempt(delivery, TRIAL_RECHECK_DELAY if pause and pause.is_half_open else CLAIM_LIFETIME)
            return None
        content = webhook_body(event)
        signed = signed_headers(event.id, self.ports.clock(), content, secrets)
        answer = self.post(consumer.url, {**headers, **signed}, content)
        attempted = self._record(claim, answer)
        if attempted.state is DeliveryState.ATTEMPTING and attempted.due is not None:
            self.schedule_attempt(attempted, attempted.due - self.ports.clock())
        return attempted

    def schedule_attempt(self, delivery: Delivery, wait: timedelta) -> None:
        """Queues the next message. The delay of a message is fifteen minutes at most: longer waits take several."""
        seconds = min(DELAY_SECONDS_MAX, max(1, math.ceil(wait.total_seconds())))
        self.ports.queues.deliver(delivery.consumer_id, delivery.event_id, seconds)

    def _keep_for_later(self, delivery: Delivery, consumer: Consumer, now: datetime) -> None:
        """The delivery waits until the consumer is enabled.

        Raises `ConditionFailed` if the consumer has just changed: the message is received again.
        """
        if delivery.state is not DeliveryState.WAITING:
            waiting = webhook_items.put_delivery(delivery.waiting(), now)
            self.ports.store.commit(waiting, webhook_items.consumer_unchanged(consumer))

    def _claim(self, delivery: Delivery, consumer: Consumer, pause: Pause | None, now: datetime) -> _Claim | None:
        """None if another worker has claimed this delivery, or the trial of a paused consumer."""
        claimed = delivery.claimed(now)
        writes: list[Write] = [webhook_items.put_delivery(claimed, now)]
        is_trial = pause is not None and pause.is_active
        if pause is not None and is_trial:
            pause = pause.claimed(now)
            writes.append(webhook_items.put_pause(pause, now))
            pause = pause.but(version=pause.version + 1)
        try:
            self.ports.store.commit(*writes)
        except ConditionFailed:
            return None
        return _Claim(claimed.but(version=claimed.version + 1), consumer, pause, is_trial)

    def _record(self, claim: _Claim, answer: Answer) -> Delivery:
        """Records the attempt, and what it means for the consumer and its pause, in one commit.

        Raises `ConditionFailed` if the attempt took so long that another worker has claimed the delivery.
        """
        now = self.ports.clock()
        attempted = claim.delivery.after_attempt(answer, now, self.jitter())
        consumer: Consumer | None = claim.consumer
        pause = claim.pause
        for attempt in attempts(f"webhook consumer {attempted.consumer_id}"):
            delivery, writes = attempted, _pause_writes(claim, pause, answer, now)
            writes.append(count_attempt(attempted, answer, now))
            if consumer is not None:
                after = consumer_after(consumer, answer, now)
                writes += self._consumer_writes(consumer, after, now)
                if after.disabled and not delivery.has_ended:
                    delivery = delivery.waiting()
            with attempt:
                self.ports.store.commit(webhook_items.put_delivery(delivery, now), *writes)
                break
            inputs = webhook_items.find_attempt_inputs(self.ports.store, delivery.consumer_id, delivery.event_id)
            consumer, pause = inputs.consumer, inputs.pause  # one of them may have changed
        return delivery

    def _consumer_writes(self, before: Consumer, after: Consumer, now: datetime) -> list[Write]:
        if after == before:
            return []
        writes: list[Write] = [webhook_items.put_consumer(after)]
        if after.disabled and not before.disabled:
            event = webhook_events.consumer_disabled(self.ports, before, after.disabled_because, now)
            writes.append(put_event(event))
        return writes


def consumer_after(consumer: Consumer, answer: Answer, now: datetime) -> Consumer:
    """The consumer after an answer. "Gone", or five days without a success, disables it.

    A success ends the days of failure, and so does disabling: once enabled, the consumer has five days again.
    """
    if answer.succeeded:
        return consumer.but(failing_since=None) if consumer.failing_since else consumer
    if consumer.disabled:
        return consumer.but(failing_since=None)
    failing_since = consumer.failing_since or now
    is_gone = answer.status == STATUS_GONE
    if is_gone or now - failing_since >= DISABLE_AFTER:
        return consumer.but(failing_since=None, disabled=True, disabled_because="gone" if is_gone else "failing")
    return consumer.but(failing_since=failing_since)


def _time_until_due(delivery: Delivery, pause: Pause | None, now: datetime) -> timedelta:
    """How long until this delivery may be attempted; zero if it may be now."""
    if pause and pause.is_half_open:
        pause = pause.but(until=min(pause.until, now + TRIAL_RECHECK_DELAY))
    times = [delivery.not_before, pause.until if pause and pause.is_active else None]
    return max((time - now for time in times if time and time > now), default=timedelta())


def _pause_writes(claim: _Claim, pause: Pause | None, answer: Answer, now: datetime) -> list[Write]:
    """The first delivery that finds the consumer overloaded or slow pauses it.

    From then on only a trial ends or extends the pause.
    """
    if claim.is_trial:
        if pause is None or claim.pause is None or pause.version != claim.pause.version:
            return []  # the attempt took so long that another worker has begun a trial
        return [webhook_items.put_pause(pause.after_answer(answer, now), now)]
    if (answer.is_overload or answer.is_slow) and (pause is None or not pause.is_active):
        previous = pause or Pause(consumer_id=claim.consumer.id, until=now)
        return [webhook_items.put_pause(previous.after_answer(answer, now), now)]
    if pause and pause.should_record_success(answer, now):
        return [webhook_items.put_pause(pause.but(until=now), now)]
    return []
