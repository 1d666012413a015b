"""Enabling a consumer and replaying its waiting deliveries are one change: a crash leaves both or neither."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from feedlane.store.table import ConditionFailed, Write
from feedlane.upkeep import stalled_replays
from feedlane.webhooks import consumers
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.delivery import DeliveryState
from feedlane.webhooks.replay import STALLED_AFTER
from tests.builders import NOW
from tests.fakes.queues import FakeQueues
from tests.worlds.webhooks import World, hold_event


class Crash(BaseException):
    pass


class DeadQueues(FakeQueues):
    def replay(self, consumer_id: str, replay_id: str, delay_seconds: int) -> None:
        raise Crash


@pytest.fixture
def world() -> World:
    """Two events wait for a disabled consumer."""
    world = World()
    world.consumer()
    consumers.disable(world.store, "consumer-1")
    for number in range(2):
        world.happens(hold_event(f"event-{number}", NOW + timedelta(seconds=number)))
    assert {world.delivery(event_id=f"event-{n}").state for n in range(2)} == {DeliveryState.WAITING}
    world.now += timedelta(minutes=1)
    return world


def test_a_crash_before_the_message_leaves_a_replay_that_the_watch_finds(world: World) -> None:
    with pytest.raises(Crash):
        consumers.enable(replace(world.ports, queues=DeadQueues()), world.now, "consumer-1")
    assert not webhook_items.consumer(world.store, "consumer-1").disabled
    world.now += STALLED_AFTER + timedelta(seconds=1)
    assert stalled_replays.requeue(world.ports, world.now).requeued == 1
    world.work_off()
    assert [headers["webhook-id"] for _, _, headers, _ in world.posts] == ["event-0", "event-1"]


def test_a_crash_at_the_commit_leaves_the_consumer_disabled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*writes: Write) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(world.table, "commit", crash)
        with pytest.raises(Crash):
            consumers.enable(world.ports, world.now, "consumer-1")
    assert webhook_items.consumer(world.store, "consumer-1").disabled
    consumers.enable(world.ports, world.now, "consumer-1")
    world.work_off()
    assert len(world.posts) == 2


def test_who_changes_the_consumer_at_that_moment_delays_it_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = world.table.commit, []

    def commit(*writes: Write) -> None:
        if not failed:
            failed.append(1)
            raise ConditionFailed([])
        real(*writes)

    monkeypatch.setattr(world.table, "commit", commit)
    consumer, replay = consumers.enable(world.ports, world.now, "consumer-1")
    assert (consumer.disabled, consumer.version) == (False, webhook_items.consumer(world.store, "consumer-1").version)
    assert world.queues.replays == [("consumer-1", replay.id, 0)]


def test_enabling_twice_sends_nothing_twice(world: World) -> None:
    for _ in range(2):
        consumers.enable(world.ports, world.now, "consumer-1")
    world.work_off()
    assert len(world.posts) == 2
