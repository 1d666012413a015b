"""A replay whose message became a dead letter is found: it continues, or ends as failed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.events.event import Event
from feedlane.store import keys
from feedlane.upkeep import stalled_replays
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks import replayer
from feedlane.webhooks.replay import REQUEUES_MAX, STALLED_AFTER, Replay, ReplayState, Selection
from tests.builders import NOW
from tests.worlds.webhooks import BROKEN, World, hold_event

EVENTS = 4


@pytest.fixture
def world() -> World:
    """A consumer that received every event two hours ago."""
    world = World()
    world.consumer()
    for number in range(EVENTS):
        world.happens(_event(number))
    world.work_off()
    world.posts.clear()
    world.now += timedelta(hours=2)
    return world


def _event(number: int) -> Event:
    return hold_event(f"event-{number}", NOW + timedelta(minutes=number))


def _start(world: World) -> Replay:
    return replayer.start(world.ports, world.now, "consumer-1", Selection.ALL, NOW)


def _current(world: World, replay: Replay) -> Replay:
    current = webhook_items.find_replay(world.store, replay.consumer_id, replay.id)
    assert current is not None
    return current


def _requeue(world: World) -> stalled_replays.Requeued:
    return stalled_replays.requeue(world.ports, world.now)


def _lose_the_message(world: World) -> None:
    """The replay's message becomes a dead letter, and nothing else is waiting."""
    world.queues.replays.clear()
    world.waiting.clear()


def _posted(world: World) -> list[str]:
    return [headers["webhook-id"] for _, _, headers, _ in world.posts]


def test_one_that_never_took_a_step_goes_on(world: World) -> None:
    replay = _start(world)
    _lose_the_message(world)
    world.now += STALLED_AFTER + timedelta(seconds=1)
    assert _requeue(world).requeued == 1
    world.work_off()
    assert _posted(world) == [f"event-{number}" for number in range(EVENTS)]
    assert _current(world, replay).state is ReplayState.DONE


def test_one_that_was_half_way_through_sends_nothing_twice(world: World) -> None:
    replay = _start(world)
    world.answers = [BROKEN.but(status=204), BROKEN]
    assert world.work_off_one("replays")  # the first is delivered, the second is retried later
    assert len(world.posts) == 2
    _lose_the_message(world)
    world.now += STALLED_AFTER + timedelta(minutes=15)
    assert _requeue(world).requeued == 1
    world.work_off()
    assert _posted(world) == ["event-0", "event-1", "event-1", "event-2", "event-3"]
    after = _current(world, replay)
    assert (after.state, after.succeeded, after.rung) == (ReplayState.DONE, EVENTS, 0)


def test_one_whose_next_step_is_not_late_is_left_alone(world: World) -> None:
    _start(world)
    world.now += STALLED_AFTER - timedelta(seconds=1)
    assert _requeue(world).requeued == 0
    assert len(world.queues.replays) == 1


def test_one_that_waits_for_a_consumer_is_left_alone_until_its_step_is_late(world: World) -> None:
    replay = _start(world)
    world.answers = [BROKEN]
    world.work_off_one("replays")
    due = _current(world, replay).due
    assert due is not None
    assert due > world.now
    world.now = due + STALLED_AFTER
    assert _requeue(world).requeued == 0
    world.now += timedelta(seconds=1)
    assert _requeue(world).requeued == 1


def test_a_second_message_beside_the_first_sends_nothing_twice(world: World) -> None:
    """The first message was only late."""
    replay = _start(world)
    world.now += STALLED_AFTER + timedelta(seconds=1)
    assert _requeue(world).requeued == 1
    assert len(world.queues.replays) == 2
    world.work_off()
    assert _posted(world) == [f"event-{number}" for number in range(EVENTS)]
    assert _current(world, replay).state is ReplayState.DONE


def test_one_that_fails_again_and_again_ends_and_can_be_asked_for_again(world: World) -> None:
    replay = _start(world)
    for _ in range(REQUEUES_MAX):
        _lose_the_message(world)
        world.now += STALLED_AFTER + timedelta(seconds=1)
        assert _requeue(world).requeued == 1
    _lose_the_message(world)
    world.now += STALLED_AFTER + timedelta(seconds=1)
    assert _requeue(world).given_up == (replay.id,)
    ended = _current(world, replay)
    assert (ended.state, ended.ended) == (ReplayState.FAILED, world.now)
    assert _requeue(world) == stalled_replays.Requeued()
    assert list(webhook_items.running_replays(world.store)) == []
    # The dead letter, sent again, does nothing now.
    assert world.replayer.run_step(replay.consumer_id, replay.id) is None
    assert _start(world).state is ReplayState.RUNNING
    world.work_off()
    assert _current(world, replay).state is ReplayState.DONE
    assert len(world.posts) == EVENTS


def test_a_crash_between_the_message_and_its_note_costs_nothing(world: World) -> None:
    replay = _start(world)
    _lose_the_message(world)
    world.now += STALLED_AFTER + timedelta(seconds=1)
    real, world.table.commit = world.table.commit, _crash  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        _requeue(world)
    world.table.commit = real  # type: ignore[method-assign]
    world.work_off()
    assert _current(world, replay).state is ReplayState.DONE
    assert len(world.posts) == EVENTS


def test_only_those_that_run_are_listed(world: World) -> None:
    replay = _start(world)
    assert list(webhook_items.running_replays(world.store)) == [keys.replay(replay.consumer_id, replay.id)]
    world.work_off()
    assert list(webhook_items.running_replays(world.store)) == []


def _crash(*_: object) -> None:
    raise KeyboardInterrupt
