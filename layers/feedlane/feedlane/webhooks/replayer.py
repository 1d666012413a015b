"""Sends deliveries again: a single one at once, many by a replay that works through them in steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.ids import derived_id
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX, SAFETY_DELAY_SECONDS
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.deliverer import Deliverer
from feedlane.webhooks.delivery import CLAIM_LIFETIME, Delivery, DeliveryState
from feedlane.webhooks.replay import Replay, ReplayState, ReplayStep, Selection, wait_for

# A step begins attempts for this long; the last one may take its fifteen seconds on top.
STEP_DURATION = timedelta(seconds=6)
# The list of deliveries is slightly behind the table: a replay of waiting ones reads it a second time after this.
RECHECK_DELAY = timedelta(seconds=60)
_POLL_INTERVAL = timedelta(seconds=1)
_CLOCK_SKEW_MAX = timedelta(minutes=1)


def replay_one(ports: Ports, now: datetime, consumer_id: str, event_id: str) -> Delivery:
    """Sends the delivery again at once. It stays unchanged if no attempt has been made yet, or one is being made.

    Raises `NotFound`, `Conflict`.
    """
    inputs = webhook_items.find_attempt_inputs(ports.store, consumer_id, event_id)
    delivery, consumer = inputs.delivery, inputs.consumer
    if consumer is None:
        raise NotFound("webhook consumer", consumer_id)
    if delivery is None:
        raise NotFound("delivery", event_id)
    if consumer.disabled:
        raise _disabled_conflict(consumer_id)
    if delivery.claimed_until and delivery.claimed_until > now:
        return delivery
    if delivery.state is not DeliveryState.SENDING:
        # In case of a crash right after the commit: from then on the delivery must be sent.
        ports.queues.deliver(consumer_id, event_id, SAFETY_DELAY_SECONDS)
        delivery = delivery.restarted()
        ports.store.commit(webhook_items.put_delivery(delivery, now), webhook_items.consumer_unchanged(consumer))
    ports.queues.deliver(consumer_id, event_id, 0)
    return delivery


def start(
    ports: Ports,
    now: datetime,
    consumer_id: str,
    which: Selection,
    since: datetime,
    until: datetime | None = None,
    company_id: str | None = None,
) -> Replay:
    """Starts a replay of the events from `since` to `until` (default: now), or returns the same one if it is running.

    Raises `Invalid`, `NotFound`, `Conflict`.
    """
    if since > (until or now):
        raise Invalid.field("since", "must not be in the future or after until", "Order")
    if webhook_items.consumer(ports.store, consumer_id).disabled:
        raise _disabled_conflict(consumer_id)
    id = derived_id("replay", consumer_id, which, iso(since), iso(until) if until else "", company_id or "")
    return _start(ports, now, Replay(
        id=id, consumer_id=consumer_id, which=which, since=since, until=min(until or now, now), company_id=company_id,
        started=now,
    ))  # fmt: skip


def resume(ports: Ports, now: datetime, consumer_id: str) -> Replay:
    """Starts, or restarts, a replay of the deliveries that waited while the consumer was disabled."""
    return _start(ports, now, replay_of_waiting(ports.store, now, consumer_id), restart=True)


def replay_of_waiting(store: Store, now: datetime, consumer_id: str) -> Replay:
    """A fresh replay of the waiting deliveries, in place of an earlier one. The caller stores and queues it."""
    id = derived_id("replay", consumer_id, Selection.WAITING)
    previous = webhook_items.find_replay(store, consumer_id, id)
    return Replay(
        id=id,
        consumer_id=consumer_id,
        which=Selection.WAITING,
        since=now - webhook_items.DELIVERY_RETENTION,
        until=now + _CLOCK_SKEW_MAX,
        started=now,
        version=previous.version if previous else 0,
    )


@dataclass(frozen=True)
class Replayer:
    """Runs a replay in steps; each step queues the message for the next.

    Even with several messages for one replay, no delivery is sent before the replay has dealt with the earlier ones.
    """

    ports: Ports
    deliverer: Deliverer
    step_duration: timedelta = STEP_DURATION

    def run_step(self, consumer_id: str, replay_id: str) -> Replay | None:
        """Runs one step. The replay after it, or None if there was nothing to do or another worker did the step."""
        replay = webhook_items.find_replay(self.ports.store, consumer_id, replay_id)
        if replay is None or not replay.is_running:
            return None
        after, wait = self._run_until_time_is_up(replay)
        now, seconds = self.ports.clock(), min(DELAY_SECONDS_MAX, math.ceil(wait.total_seconds()))
        after = after.stepped(now, timedelta(seconds=seconds))
        try:
            self.ports.store.commit(webhook_items.put_replay(after, now))
        except ConditionFailed:
            return None  # another worker was faster, and has queued the next step
        if after.is_running:
            self.ports.queues.replay(consumer_id, replay_id, seconds)
        return after

    def _run_until_time_is_up(self, replay: Replay) -> tuple[Replay, timedelta]:
        """The replay as far as it gets in one step, and how long to wait before the next."""
        ends = self.ports.clock() + self.step_duration
        if not replay.place:
            replay = replay.but(succeeded=0, failed=0)
        while True:
            page = webhook_items.delivery_page(
                self.ports.store,
                replay.consumer_id,
                replay.since,
                replay.until,
                replay.place,
                webhook_items.DELIVERIES_PER_PAGE,
            )
            for place, listed in page:
                if self.ports.clock() >= ends:
                    return replay, timedelta()
                if not replay.concerns(listed):
                    replay = replay.but(place=place)
                    continue
                result = self._advance(replay, listed)
                if isinstance(result, ReplayState):
                    return replay.ended_as(result, self.ports.clock()), timedelta()
                if isinstance(result, timedelta):
                    return replay, result
                replay = replay.moved_past(result, place)
            if len(page) < webhook_items.DELIVERIES_PER_PAGE:
                return self._finish_or_recheck(replay)

    def _advance(self, replay: Replay, listed: Delivery) -> Delivery | timedelta | ReplayState:
        """Deals with the next delivery, and says how the replay continues.

        A `Delivery`: it is done, go past it. A `timedelta`: wait so long, then come back to it. A `ReplayState`: the
        replay ends with it.
        """
        now = self.ports.clock()
        inputs = webhook_items.find_attempt_inputs(self.ports.store, replay.consumer_id, listed.event_id)
        delivery, consumer, pause = inputs.delivery, inputs.consumer, inputs.pause
        if consumer is None or consumer.disabled:
            return ReplayState.STOPPED
        if delivery is None:
            return listed  # it has expired, and the list does not show that yet
        match replay.next_step(delivery, now):
            case ReplayStep.NEXT:
                if replay.has_attempted(delivery) and not delivery.has_ended:
                    # In case its own message was lost in a crash.
                    self.deliverer.schedule_attempt(delivery, wait_for(delivery, now, _POLL_INTERVAL))
                return delivery
            case ReplayStep.WAIT:
                return wait_for(delivery, now, _POLL_INTERVAL)
        if pause and pause.is_active and pause.until > now:
            return pause.until - now
        current = delivery if replay.has_begun(delivery) else delivery.restarted()
        attempted = self.deliverer.attempt(current, consumer, pause)
        if attempted is None:
            return CLAIM_LIFETIME
        if attempted.state is DeliveryState.WAITING:
            return ReplayState.STOPPED
        return attempted if attempted.has_ended else wait_for(attempted, self.ports.clock(), _POLL_INTERVAL)

    def _finish_or_recheck(self, replay: Replay) -> tuple[Replay, timedelta]:
        if replay.which is Selection.WAITING and not replay.looks:
            return replay.but(looks=1, place=""), RECHECK_DELAY
        return replay.ended_as(ReplayState.DONE, self.ports.clock()), timedelta()


def _start(ports: Ports, now: datetime, replay: Replay, restart: bool = False) -> Replay:
    """Stores and queues the replay. A running one is only queued again, in case its message was lost."""
    for attempt in attempts(f"replay {replay.id}"):
        previous = webhook_items.find_replay(ports.store, replay.consumer_id, replay.id)
        if previous and previous.is_running and not restart:
            started = previous
            break
        started = replay.but(version=previous.version if previous else 0)
        with attempt:  # fails if a step of the previous one was recorded at the same time
            ports.store.commit(webhook_items.put_replay(started, now))
    ports.queues.replay(started.consumer_id, started.id, 0)
    return started


def _disabled_conflict(consumer_id: str) -> Conflict:
    remedy = "enable it first. Its waiting deliveries are sent then."
    return Conflict(f"Webhook consumer {consumer_id} is disabled; {remedy}")
