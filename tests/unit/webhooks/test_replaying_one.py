"""A single delivery sent again: at once, with the same id and its whole schedule, and never during another post."""

from __future__ import annotations

import pytest

from feedlane.webhooks.delivery import DeliveryState
from feedlane.webhooks.replayer import replay_one
from tests.unit.webhooks.replays import failed, posted
from tests.worlds.webhooks import BROKEN, World, hold_event


@pytest.fixture
def world() -> World:
    return World()


def test_one_delivery_is_sent_again_at_once_under_the_same_id_with_the_same_body(world: World) -> None:
    [id] = failed(world, 1)
    delivery = replay_one(world.ports, world.now, "consumer-1", id)
    assert delivery.state is DeliveryState.SENDING
    world.work_off()
    assert posted(world) == [id]
    assert world.delivery(event_id=id).state is DeliveryState.SUCCESS
    assert len(world.delivery(event_id=id).attempts) == 9, "the earlier attempts are kept"


def test_a_delivery_that_arrived_can_be_sent_again_and_has_its_whole_schedule(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.work_off()
    replay_one(world.ports, world.now, "consumer-1", "event-1")
    world.answers = [BROKEN] * 7
    world.work_off()
    assert len(world.posts) == 9
    assert world.delivery().state is DeliveryState.SUCCESS


def test_asking_twice_for_one_delivery_sends_it_once(world: World) -> None:
    [id] = failed(world, 1)
    for _ in range(2):
        replay_one(world.ports, world.now, "consumer-1", id)
    world.work_off()
    assert posted(world) == [id]


def test_a_delivery_that_is_being_posted_is_left_alone(world: World) -> None:
    world.consumer()
    world.happens(hold_event())

    def ask() -> None:
        if len(world.posts) == 1:
            replay_one(world.ports, world.now, "consumer-1", "event-1")

    world.during_post = ask
    world.work_off()
    assert len(world.posts) == 1
