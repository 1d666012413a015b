"""A delivery or an event whose message is lost, or whose worker dies, is found by the watch within twenty minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.events.outbox import put_event
from feedlane.store.table import Index
from feedlane.upkeep import overdue
from feedlane.webhooks.delivery import DeliveryState
from feedlane.webhooks.router import route
from tests.rights import acting_as
from tests.worlds.webhooks import BROKEN, World, event_key, hold_event

WATCH_INTERVAL = timedelta(minutes=10)
FOUND_WITHIN = timedelta(minutes=20)


@pytest.fixture
def world() -> World:
    world = World()
    world.consumer()
    return world


def lose_all(world: World) -> None:
    world.queues.take("deliveries")
    world.waiting.clear()


def watch(world: World) -> None:
    """Waits for the next run of the watch."""
    world.now += WATCH_INTERVAL
    with acting_as("tend_connections"):
        overdue.ring(world.ports)


def listed(world: World) -> int:
    return sum(Index.DUE.keys[0] in item for item in world.table.items.values())


@pytest.mark.parametrize("delay", range(0, 600, 60))
def test_a_new_delivery_without_a_message_is_sent(world: World, delay: int) -> None:
    """`delay`: how long after a run of the watch it is made."""
    world.now += timedelta(seconds=delay)
    world.happens(hold_event(now=world.now))
    made = world.now
    lose_all(world)
    world.now -= timedelta(seconds=delay)  # the watch runs at full ten minutes
    while not world.posts:
        watch(world)
        while world.queues.deliveries or world.waiting:
            assert world.work_off_one()
    assert world.posts[0][0] - made <= FOUND_WITHIN
    assert world.delivery().state is DeliveryState.SUCCESS
    assert listed(world) == 0


def test_whichever_message_is_lost_the_next_attempt_is_made_within_twenty_minutes_of_being_due(world: World) -> None:
    world.answers = [BROKEN] * 7
    world.happens(hold_event(now=world.now))
    due = world.now
    for attempts in range(1, 9):
        lose_all(world)
        while len(world.posts) < attempts:
            watch(world)
            while world.queues.deliveries and len(world.posts) < attempts:
                world.work_off_one()
        assert world.posts[-1][0] - due <= FOUND_WITHIN
        delivery = world.delivery()
        due = delivery.due or due
    assert world.delivery().state is DeliveryState.SUCCESS
    assert listed(world) == 0


def test_a_worker_that_dies_during_its_attempt_is_followed_by_another(world: World) -> None:
    world.happens(hold_event(now=world.now))
    claimed = world.now

    def die() -> None:
        world.during_post = lambda: None
        raise KeyboardInterrupt

    world.during_post = die
    world.work_off_one(crash=KeyboardInterrupt)
    assert world.delivery().claimed_until
    lose_all(world)
    for _ in range(2):
        watch(world)
    world.work_off()
    assert world.delivery().state is DeliveryState.SUCCESS
    assert world.posts[-1][0] - claimed <= FOUND_WITHIN


def test_an_event_that_neither_the_stream_nor_the_bus_delivers_reaches_its_consumer(world: World) -> None:
    event = hold_event(now=world.now)
    world.store.commit(put_event(event))
    for _ in range(2):
        watch(world)
    world.work_off()
    assert world.delivery().state is DeliveryState.SUCCESS
    assert listed(world) == 0


def test_an_event_without_subscribers_leaves_the_list_when_it_is_routed(world: World) -> None:
    world.change(event_types=("company.created",))
    world.happens(hold_event(now=world.now))
    assert listed(world) == 0


def test_a_crash_between_the_deliveries_and_their_messages_loses_none(world: World) -> None:
    world.consumer("consumer-2")
    event = hold_event(now=world.now)
    world.store.commit(put_event(event))
    send = world.queues.deliver

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    world.queues.deliver = crash  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt), acting_as("route_events"):
        route(world.ports, event, world.now)
    world.queues.deliver = send  # type: ignore[method-assign]
    for _ in range(2):
        watch(world)
    world.work_off()
    assert {url for _, url, *_ in world.posts} == {
        "https://consumer-1.example/hooks",
        "https://consumer-2.example/hooks",
    }


def test_an_event_that_has_expired_from_the_outbox_is_routed_all_the_same(world: World) -> None:
    event = hold_event(now=world.now)
    with acting_as("route_events"):
        route(world.ports, event, world.now)
    assert event_key(event) not in world.table.items
    assert world.queues.deliveries == [("consumer-1", event.id, 0)]


def test_what_waits_for_its_consumer_is_in_no_list(world: World) -> None:
    world.change(disabled=True)
    world.happens(hold_event(now=world.now))
    assert world.delivery().state is DeliveryState.WAITING
    assert listed(world) == 0


def test_a_queue_that_is_far_behind_is_not_flooded_with_second_messages(world: World) -> None:
    """Nobody takes the messages for a day."""
    world.happens(hold_event(now=world.now))
    for _ in range(144):
        watch(world)
    assert 2 <= len(world.queues.deliveries) <= 10
