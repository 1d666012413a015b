"""A replay keeps its consumer's pace: it does not wait for retries hours away, and does not overload the consumer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.webhooks.delivery import Answer, DeliveryState
from feedlane.webhooks.replay import ATTEMPTS_PER_DELIVERY_MAX, ReplayState
from tests.builders import NOW
from tests.unit.webhooks.replays import failed, posted, replay, state
from tests.worlds.webhooks import BROKEN, OK, TIMEOUT, World, hold_event


@pytest.fixture
def world() -> World:
    return World()


def test_a_retry_that_is_hours_away_is_brought_forward(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.answers = [BROKEN] * 5
    while len(world.posts) < 5:
        world.work_off_one()
    replay(world)
    before = world.now
    world.work_off_one("replays")
    assert world.now == before
    assert world.delivery().state is DeliveryState.SUCCESS
    world.work_off()
    assert len(world.posts) == 6, "the message of the retry finds the delivery ended"


def test_a_retry_of_its_own_schedule_in_between_does_not_make_a_replay_wait_for_hours(world: World) -> None:
    world.consumer()
    for n in range(2):
        world.happens(hold_event(f"event-{n}", NOW + timedelta(seconds=n)))
    world.answers = [BROKEN] * 10
    while world.answers:
        world.work_off_one("deliveries")
    started = replay(world)
    world.answers = [BROKEN]
    delivery = world.delivery(event_id="event-0")
    assert delivery.due
    world.now = max(world.now, delivery.due)
    world.deliverer.deliver("consumer-1", "event-0")  # its own retry, which fails again: the next is hours away
    before = world.now
    world.work_off()
    times = {headers["webhook-id"]: time for time, _, headers, _ in world.posts}
    assert times["event-1"] - before < timedelta(minutes=1)
    assert state(world, started).succeeded == 2


def test_the_next_waits_until_the_one_before_has_arrived(world: World) -> None:
    ids = failed(world)
    world.answers = [BROKEN, OK, OK, OK]
    replay(world)
    world.work_off()
    assert posted(world) == [ids[0], ids[0], ids[1], ids[2]]


def test_one_that_cannot_be_delivered_stops_the_others_for_three_attempts_only(world: World) -> None:
    ids = failed(world, 2)
    world.answers = [BROKEN] * ATTEMPTS_PER_DELIVERY_MAX
    started = replay(world)
    before = world.now
    world.work_off()
    assert posted(world)[: ATTEMPTS_PER_DELIVERY_MAX + 1] == [ids[0]] * ATTEMPTS_PER_DELIVERY_MAX + [ids[1]]
    assert world.posts[ATTEMPTS_PER_DELIVERY_MAX][0] - before < timedelta(minutes=6)
    assert world.delivery(event_id=ids[0]).state is DeliveryState.SUCCESS, "by its own schedule"
    assert (state(world, started).succeeded, state(world, started).failed) == (1, 1)


def test_a_paused_consumer_is_not_pressed(world: World) -> None:
    failed(world, 3)
    world.answers = [TIMEOUT]
    replay(world)
    world.work_off()
    times = [time for time, *_ in world.posts]
    assert times[1] - times[0] >= timedelta(seconds=60)
    assert len(times) == 4


def test_a_consumer_that_is_disabled_meanwhile_stops_it(world: World) -> None:
    failed(world, 3)
    world.answers = [Answer(status=410)]
    started = replay(world)
    world.work_off()
    assert state(world, started).state is ReplayState.STOPPED
    assert len(world.posts) == 1
