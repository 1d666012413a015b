"""Replays in the table: kept as long as the deliveries that they send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from feedlane.replay import Replay
from feedlane.store import keys
from feedlane.store.deliveries import KEPT
from feedlane.store.records import changed, expiry, record_in
from feedlane.store.store import Store
from feedlane.store.table import Put


def find_replay(store: Store, consumer_id: str, replay_id: str) -> Replay | None:
    return record_in(Replay, store.table.get(keys.replay(consumer_id, replay_id)))


def replays_of(store: Store, consumer_id: str) -> Iterable[Replay]:
    pk, prefix = keys.replay(consumer_id, "")
    return map(Replay.model_validate, store.table.query(pk, prefix=prefix))


def running(store: Store) -> Iterable[Replay]:
    """Those of all consumers that run. The list is a moment behind the table."""
    return map(Replay.model_validate, store.table.query(keys.REPLAYS, index=True))


def put_replay(replay: Replay, now: datetime) -> Put:
    """Fails if somebody else has written it since it was read. Only those that run are in the list of all."""
    key = keys.replay(replay.consumer_id, replay.id)
    listed = {"gsi1pk": keys.REPLAYS, "gsi1sk": f"{replay.consumer_id}#{replay.id}"} if replay.is_running else {}
    return changed(key, replay, expires_at=expiry(now, KEPT), **listed)
