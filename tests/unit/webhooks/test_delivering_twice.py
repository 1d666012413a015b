"""Two workers on one delivery, and crashes between steps: it arrives, and is posted only once where possible."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.store.table import ConditionFailed, Write
from feedlane.webhooks.delivery import DeliveryState
from tests.worlds.webhooks import BROKEN, OK, World, hold_event


@pytest.fixture
def world() -> World:
    return World()


def test_a_second_message_does_not_post_while_the_first_is_posting(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.during_post = lambda: None if len(world.posts) > 1 else world.deliver()
    world.work_off()
    assert len(world.posts) == 1
    assert world.delivery().state is DeliveryState.SUCCESS


def test_two_workers_that_read_the_same_delivery_post_it_once(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    commit, raced = world.table.commit, []

    def race(*writes: Write) -> None:
        """Another worker claims the delivery first."""
        if not raced:
            raced.append(True)
            world.deliverer.deliver("consumer-1", "event-1")
        commit(*writes)

    world.table.commit = race  # type: ignore[method-assign]
    world.queues.take("deliveries")
    assert world.deliverer.deliver("consumer-1", "event-1") is None
    assert len(world.posts) == 1
    assert world.queues.deliveries == [("consumer-1", "event-1", 1)], "in case the other worker crashes"


def test_a_message_of_a_delivery_that_ended_does_nothing(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.work_off()
    world.deliver()
    assert len(world.posts) == 1
    assert not world.queues.deliveries


def test_a_crash_after_the_claim_is_made_good_when_the_message_comes_again(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.queues.take("deliveries")

    def crash() -> None:
        raise KeyboardInterrupt

    world.during_post = crash
    with pytest.raises(KeyboardInterrupt):
        world.deliver()
    world.during_post = lambda: None
    world.deliver()
    assert len(world.posts) == 1, "the claim is still valid"
    world.work_off()
    assert len(world.posts) == 2, "at least once"
    assert world.delivery().state is DeliveryState.SUCCESS


def test_a_crash_after_the_attempt_was_written_down_does_not_end_the_retries(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.queues.take("deliveries")
    world.answers = [BROKEN]
    world.deliver()
    world.queues.take("deliveries")  # lost in the crash; the message itself is received again
    world.deliver()
    world.work_off()
    assert [attempt.status for attempt in world.delivery().attempts] == [500, 204]


def test_whoever_lost_the_claim_while_posting_does_not_write(world: World) -> None:
    world.consumer()
    world.happens(hold_event())

    def takes_too_long() -> None:
        world.during_post = lambda: None
        world.now += timedelta(minutes=5)
        world.deliver()

    world.during_post = takes_too_long
    world.answers = [OK, BROKEN]
    with pytest.raises(ConditionFailed):
        world.deliver()
    assert world.delivery().state is DeliveryState.SUCCESS
