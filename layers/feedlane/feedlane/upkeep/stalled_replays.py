"""Running replays that have stalled because their message is a dead letter or lost: sends them a new one."""

from __future__ import annotations

from datetime import datetime

from feedlane.ports import Ports
from feedlane.record import Record
from feedlane.store.records import record_in
from feedlane.store.table import ConditionFailed, Key
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.replay import Replay, ReplayState


class Requeued(Record):
    """How many got a new message, the ids of those given up, and what failed, with the kind of error."""

    requeued: int = 0
    given_up: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def requeue(ports: Ports, now: datetime) -> Requeued:
    """Requeues stalled replays. Concurrent runs are safe: a replay with several messages sends nothing twice.

    A replay that was requeued often enough without a single step ends as failed. It can be started again.
    """
    moved: list[Replay] = []
    failed: list[str] = []
    for key in list(webhook_items.running_replays(ports.store)):
        try:
            after = _requeue_one(ports, now, key)
        except ConditionFailed:
            continue  # it has moved since
        except Exception as error:
            # One that cannot be read or queued stops no other.
            failed.append(f"{'/'.join(key)}: {type(error).__name__}")
            continue
        moved += [after] if after else []
    given_up = tuple(replay.id for replay in moved if not replay.is_running)
    return Requeued(requeued=len(moved) - len(given_up), given_up=given_up, failed=tuple(failed))


def _requeue_one(ports: Ports, now: datetime, key: Key) -> Replay | None:
    """The replay after that, or None if it has not stalled. Raises `ConditionFailed` if it moves meanwhile."""
    replay = record_in(Replay, ports.store.table.get(key))
    if replay is None or not replay.is_stalled(now):
        return None
    if not replay.is_exhausted:
        ports.queues.replay(replay.consumer_id, replay.id, 0)
    after = replay.ended_as(ReplayState.FAILED, now) if replay.is_exhausted else replay.requeued(now)
    ports.store.commit(webhook_items.put_replay(after, now))
    return after
