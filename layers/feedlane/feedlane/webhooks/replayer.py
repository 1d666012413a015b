"""Deliveries are sent once more: one at once, many by a replay that goes on in steps until it is through."""

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

# A step begins attempts for so long; the last of them may take its fifteen seconds besides.
STEP_DURATION = timedelta(seconds=6)
# The list of deliveries is a moment behind the table: what waited is looked for once more.
RECHECK_DELAY = timedelta(seconds=60)
_POLL_INTERVAL = timedelta(seconds=1)
_CLOCK_SKEW_MAX = timedelta(minutes=1)


def replay_one(ports: Ports, now: datetime, consumer_id: str, event_id: str) -> Delivery:
    """The delivery, on its way again at once. One that has had no attempt yet, or has one just now, stays as it is.

    Raises `NotFound`, `Conflict`.
    """
    found = webhook_items.find_attempt_inputs(ports.store, consumer_id, event_id)
    if found.consumer is None:
        raise NotFound("webhook consumer", consumer_id)
    if found.delivery is None:
        raise NotFound("delivery", event_id)
    if found.consumer.disabled:
        raise _disabled_conflict(consumer_id)
    delivery = found.delivery
    if delivery.claimed_until and delivery.claimed_until > now:
        return delivery
    if delivery.state is not DeliveryState.SENDING:
        # For the case that we crash right after the commit: from then on it has to be sent.
        ports.queues.deliver(consumer_id, event_id, SAFETY_DELAY_SECONDS)
        delivery = delivery.restarted()
        ports.store.commit(webhook_items.put_delivery(delivery, now), webhook_items.consumer_unchanged(found.consumer))
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
    """A replay of what happened from `since` to `until` (now). The same one asked for while it runs is that one.

    Raises `Invalid`, `NotFound`, `Conflict`.
    """
    if since > (until or now):
        raise Invalid.field("since", "must not be in the future, nor after until", "Order")
    if webhook_items.consumer(ports.store, consumer_id).disabled:
        raise _disabled_conflict(consumer_id)
    id = derived_id("replay", consumer_id, which, iso(since), iso(until) if until else "", company_id or "")
    return _start(ports, now, Replay(
        id=id, consumer_id=consumer_id, which=which, since=since, until=min(until or now, now), company_id=company_id,
        started=now,
    ))  # fmt: skip


def resume(ports: Ports, now: datetime, consumer_id: str) -> Replay:
    """After a consumer was enabled: what waited for it goes on, in the order of the events."""
    return _start(ports, now, replay_of_waiting(ports.store, now, consumer_id), anew=True)


def replay_of_waiting(store: Store, now: datetime, consumer_id: str) -> Replay:
    """The replay of what waited, begun anew: to be recorded, and rung for."""
    id = derived_id("replay", consumer_id, Selection.WAITING)
    there = webhook_items.find_replay(store, consumer_id, id)
    return Replay(
        id=id,
        consumer_id=consumer_id,
        which=Selection.WAITING,
        since=now - webhook_items.DELIVERY_RETENTION,
        until=now + _CLOCK_SKEW_MAX,
        started=now,
        version=there.version if there else 0,
    )


@dataclass(frozen=True)
class Replayer:
    """Works on a replay in steps, with a message from each to the next.

    However many messages there are, none sends a delivery before the ones ahead of it have had their turn.
    """

    ports: Ports
    deliverer: Deliverer
    step: timedelta = STEP_DURATION

    def run_step(self, consumer_id: str, replay_id: str) -> Replay | None:
        """One step. The replay after it; None if there was nothing to do, or another one did it."""
        replay = webhook_items.find_replay(self.ports.store, consumer_id, replay_id)
        if replay is None or not replay.is_running:
            return None
        after, wait = self._run_until_time_is_up(replay)
        now, seconds = self.ports.clock(), min(DELAY_SECONDS_MAX, math.ceil(wait.total_seconds()))
        after = after.stepped(now, timedelta(seconds=seconds))
        try:
            self.ports.store.commit(webhook_items.put_replay(after, now))
        except ConditionFailed:
            return None  # whoever was faster has rung for the next step
        if after.is_running:
            self.ports.queues.replay(consumer_id, replay_id, seconds)
        return after

    def _run_until_time_is_up(self, replay: Replay) -> tuple[Replay, timedelta]:
        """As far as the time goes, and how long to wait for the next step."""
        ends = self.ports.clock() + self.step
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
                told = self._advance(replay, listed)
                if isinstance(told, ReplayState):
                    return replay.ended_as(told, self.ports.clock()), timedelta()
                if isinstance(told, timedelta):
                    return replay, told
                replay = replay.moved_past(told, place)
            if len(page) < webhook_items.DELIVERIES_PER_PAGE:
                return self._finish_or_recheck(replay)

    def _advance(self, replay: Replay, listed: Delivery) -> Delivery | timedelta | ReplayState:
        """The delivery if it has had its turn; how long to wait for it; or how the replay ends."""
        now = self.ports.clock()
        found = webhook_items.find_attempt_inputs(self.ports.store, replay.consumer_id, listed.event_id)
        if found.consumer is None or found.consumer.disabled:
            return ReplayState.STOPPED
        delivery = found.delivery
        if delivery is None:
            return listed  # past its days, which the list does not know yet
        match replay.next_step(delivery, now):
            case ReplayStep.NEXT:
                if replay.has_attempted(delivery) and not delivery.has_ended:
                    self.deliverer.schedule_attempt(
                        delivery, wait_for(delivery, now, _POLL_INTERVAL)
                    )  # in case a crash took its message
                return delivery
            case ReplayStep.WAIT:
                return wait_for(delivery, now, _POLL_INTERVAL)
        if found.pause and found.pause.is_active and found.pause.until > now:
            return found.pause.until - now
        sent = delivery if replay.has_begun(delivery) else delivery.restarted()
        tried = self.deliverer.attempt(sent, found.consumer, found.pause)
        if tried is None:
            return CLAIM_LIFETIME
        if tried.state is DeliveryState.WAITING:
            return ReplayState.STOPPED
        return tried if tried.has_ended else wait_for(tried, self.ports.clock(), _POLL_INTERVAL)

    def _finish_or_recheck(self, replay: Replay) -> tuple[Replay, timedelta]:
        if replay.which is Selection.WAITING and not replay.looks:
            return replay.but(looks=1, place=""), RECHECK_DELAY
        return replay.ended_as(ReplayState.DONE, self.ports.clock()), timedelta()


def _start(ports: Ports, now: datetime, replay: Replay, anew: bool = False) -> Replay:
    """Recorded, and rung for. One that runs is rung for again, in case the message before was lost."""
    for attempt in attempts(f"replay {replay.id}"):
        there = webhook_items.find_replay(ports.store, replay.consumer_id, replay.id)
        if there and there.is_running and not anew:
            begun = there
            break
        begun = replay.but(version=there.version if there else 0)
        with attempt:  # a step of it may just have been written down
            ports.store.commit(webhook_items.put_replay(begun, now))
    ports.queues.replay(begun.consumer_id, begun.id, 0)
    return begun


def _disabled_conflict(consumer_id: str) -> Conflict:
    return Conflict(f"Webhook consumer {consumer_id} is disabled; enable it first, and what waited for it is sent.")
