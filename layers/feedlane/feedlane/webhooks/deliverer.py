"""Deliveries are tried: claimed, signed, posted, and what came of it written down with what follows from it."""

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
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import CLAIM_LIFETIME, STATUS_GONE, Answer, Delivery, DeliveryState
from feedlane.webhooks.pause import Pause
from feedlane.webhooks.signature import HeadersOf, SecretsOf, signed_headers

DISABLE_AFTER = timedelta(days=5)
# While the first of a consumer's deliveries finds out whether it answers, the others look again so soon.
TRIAL_RECHECK_DELAY = timedelta(seconds=1)

Post = Callable[[str, dict[str, str], bytes], Answer]
Jitter = Callable[[], float]


@dataclass(frozen=True)
class _Claim:
    """The right to make one attempt: the delivery and the consumer's pause as they were written for it."""

    delivery: Delivery
    consumer: Consumer
    pause: Pause | None
    is_pause_trial: bool


@dataclass(frozen=True)
class Deliverer:
    """Every message leads to one more until its delivery has ended: so none is lost, and a second one does no harm.

    `jitter` is random, from -0.2 to 0.2.
    """

    ports: Ports
    secrets: SecretsOf
    post: Post
    jitter: Jitter
    headers: HeadersOf

    def deliver(self, consumer_id: str, event_id: str) -> Delivery | None:
        """One attempt, if it is time for one. The delivery after it, or None if none was made.

        An exception means that the message must come again.
        """
        now = self.ports.clock()
        found = webhook_items.find_attempt_inputs(self.ports.store, consumer_id, event_id)
        delivery, consumer = found.delivery, found.consumer
        if delivery is None or consumer is None or delivery.has_ended:
            return None  # a deleted consumer's deliveries go no further
        if consumer.disabled:
            self._keep_for_later(delivery, consumer, now)
            return None
        pause = Pause.in_force(found.pause, consumer_id, now)
        wait = _time_until_due(delivery, pause, now)
        if wait:
            self.schedule_attempt(delivery, wait)
            return None
        return self.attempt(delivery, consumer, pause)

    def attempt(self, delivery: Delivery, consumer: Consumer, pause: Pause | None) -> Delivery | None:
        """The delivery after one attempt, now. None if somebody else is making one."""
        now, event = self.ports.clock(), webhook_items.event_of(self.ports.store, delivery)
        if event is None:  # it is past its days in the outbox
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
        after = self._record(claim, answer)
        if after.state is DeliveryState.ATTEMPTING and after.due is not None:
            self.schedule_attempt(after, after.due - self.ports.clock())
        return after

    def _keep_for_later(self, delivery: Delivery, consumer: Consumer, now: datetime) -> None:
        """It goes on when the consumer is enabled. If that is happening now, the message comes again."""
        if delivery.state is not DeliveryState.WAITING:
            kept = webhook_items.put_delivery(delivery.waiting(), now)
            self.ports.store.commit(kept, webhook_items.consumer_unchanged(consumer))

    def schedule_attempt(self, delivery: Delivery, wait: timedelta) -> None:
        """A message waits fifteen minutes at most: one for hours comes round several times."""
        seconds = min(DELAY_SECONDS_MAX, max(1, math.ceil(wait.total_seconds())))
        self.ports.queues.deliver(delivery.consumer_id, delivery.event_id, seconds)

    def _claim(self, delivery: Delivery, consumer: Consumer, pause: Pause | None, now: datetime) -> _Claim | None:
        """None if another worker was first, with this delivery or in trying a paused consumer."""
        claimed = delivery.claimed(now)
        writes: list[Write] = [webhook_items.put_delivery(claimed, now)]
        tries_pause = pause is not None and pause.is_active
        if pause is not None and tries_pause:
            pause = pause.claimed(now)
            writes.append(webhook_items.put_pause(pause, now))
            pause = pause.but(version=pause.version + 1)
        try:
            self.ports.store.commit(*writes)
        except ConditionFailed:
            return None
        return _Claim(claimed.but(version=claimed.version + 1), consumer, pause, tries_pause)

    def _record(self, claim: _Claim, answer: Answer) -> Delivery:
        """The attempt, and what it means for the consumer, in one commit.

        Raises `ConditionFailed` if it took so long that another worker has claimed the delivery.
        """
        now = self.ports.clock()
        tried = claim.delivery.after_attempt(answer, now, self.jitter())
        consumer: Consumer | None = claim.consumer
        pause = claim.pause
        for attempt in attempts(f"webhook consumer {tried.consumer_id}"):
            after, writes = tried, _pause_writes(claim, pause, answer, now)
            if consumer is not None:
                judgement = consumer_after(consumer, answer, now)
                writes += self._consumer_writes(consumer, judgement, answer, now)
                if judgement.disabled and not after.has_ended:
                    after = after.waiting()
            with attempt:
                self.ports.store.commit(webhook_items.put_delivery(after, now), *writes)
                break
            found = webhook_items.find_attempt_inputs(self.ports.store, after.consumer_id, after.event_id)
            consumer, pause = found.consumer, found.pause  # they may have moved on meanwhile
        return after

    def _consumer_writes(self, before: Consumer, after: Consumer, answer: Answer, now: datetime) -> list[Write]:
        if after == before:
            return []
        writes: list[Write] = [webhook_items.put_consumer(after)]
        if after.disabled and not before.disabled:
            event = webhook_events.consumer_disabled(self.ports, before, after.disabled_because, now)
            writes.append(put_event(event))
        return writes


def consumer_after(consumer: Consumer, answer: Answer, now: datetime) -> Consumer:
    """The consumer after an answer: a success clears it; "gone", or five days without a success, disable it.

    Once it is disabled its days are over: when it is enabled it starts with a clean sheet.
    """
    if answer.succeeded:
        return consumer.but(failing_since=None) if consumer.failing_since else consumer
    since = consumer.failing_since or now
    if consumer.disabled or answer.status == STATUS_GONE or now - since >= DISABLE_AFTER:
        because = "gone" if answer.status == STATUS_GONE else "failing"
        because = consumer.disabled_because if consumer.disabled else because
        return consumer.but(failing_since=None, disabled=True, disabled_because=because)
    return consumer.but(failing_since=since)


def _time_until_due(delivery: Delivery, pause: Pause | None, now: datetime) -> timedelta:
    """How long it is until this delivery may be tried; nothing if that is now."""
    if pause and pause.is_half_open:
        pause = pause.but(until=min(pause.until, now + TRIAL_RECHECK_DELAY))
    times = [delivery.not_before, pause.until if pause and pause.is_active else None]
    return max((time - now for time in times if time and time > now), default=timedelta())


def _pause_writes(claim: _Claim, pause: Pause | None, answer: Answer, now: datetime) -> list[Write]:
    """Of the many deliveries that find a consumer without time, the first pauses it.

    From then on only the one that tries it ends the pause, or makes it longer.
    """
    if claim.is_pause_trial:
        if pause is None or claim.pause is None or pause.version != claim.pause.version:
            return []  # this took so long that another one has tried
        return [webhook_items.put_pause(pause.after_answer(answer, now), now)]
    if (answer.is_overload or answer.is_slow) and (pause is None or not pause.is_active):
        begun = pause or Pause(consumer_id=claim.consumer.id, until=now)
        return [webhook_items.put_pause(begun.after_answer(answer, now), now)]
    return (
        [webhook_items.put_pause(pause.but(until=now), now)]
        if pause and pause.should_record_success(answer, now)
        else []
    )
