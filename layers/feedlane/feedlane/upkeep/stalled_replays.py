"""Replays that run and of which nothing moves: their message is among the dead letters, or gone. They are rung for."""

from __future__ import annotations

from datetime import datetime

from feedlane.ports import Ports
from feedlane.record import Record
from feedlane.store.table import ConditionFailed
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.replay import ReplayState


class Requeued(Record):
    """How many go on, and the ids of those that are given up."""

    rung: int = 0
    given_up: tuple[str, ...] = ()


def requeue(ports: Ports, now: datetime) -> Requeued:
    """May be done at any time, and by several at once: however many messages there are, a replay sends nothing twice.

    One that was rung for often enough without a single step ends as failed. It can be asked for again.
    """
    rung, given_up = 0, []
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
            continue  # it goes on by itself
        rung += after.is_running
        given_up += [] if after.is_running else [after.id]
    return Requeued(rung=rung, given_up=tuple(given_up))
