"""Running replays that have stalled because their message is a dead letter or lost: sends them a new one."""

from __future__ import annotations

from datetime import datetime

from feedlane.ports import Ports
from feedlane.record import Record
from feedlane.store.table import ConditionFailed
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.replay import ReplayState


class Requeued(Record):
    """How many got a new message, and the ids of those given up."""

    requeued: int = 0
    given_up: tuple[str, ...] = ()


def requeue(ports: Ports, now: datetime) -> Requeued:
    """Requeues stalled replays. Concurrent runs are safe: a replay with several messages sends nothing twice.

    A replay that was requeued often enough without a single step ends as failed. It can be started again.
    """
    requeued, given_up = 0, []
    for listed in list(webhook_items.running_replays(ports.store)):
        replay = webhook_items.find_replay(ports.store, listed.consumer_id, listed.id)
        if replay is None or not replay.is_stalled(now):
            continue
        if not replay.is_exhausted:
            ports.queues.replay(replay.consumer_id, replay.id, 0)
        after = replay.ended_as(ReplayState.FAILED, now) if replay.is_exhausted else replay.requeued(now)
        try:
            ports.store.commit(webhook_items.put_replay(after, now))
        except ConditionFailed:
            continue  # it has moved since
        requeued += after.is_running
        given_up += [] if after.is_running else [after.id]
    return Requeued(requeued=requeued, given_up=tuple(given_up))
