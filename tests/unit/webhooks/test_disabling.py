"""Consumers that are gone, fail for days, or are disabled: announced once; waiting deliveries are sent in order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.clock import iso
from feedlane.events import event as event_types
from feedlane.store.table import ConditionFailed, Write
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.delivery import Answer, DeliveryState
from feedlane.webhooks.replayer import resume
from tests.builders import NOW
from tests.worlds.webhooks import BROKEN, World, hold_event


@pytest.fixture
def world() -> World:
    return World()


def test_a_consumer_that_is_gone_is_disabled_and_that_is_announced_in_the_same_commit(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.answers = [Answer(status=410)]
    world.queues.take("deliveries")
    world.deliver()
    assert webhook_items.consumer(world.store, "consumer-1").disabled
    [event] = world.events(event_types.CONSUMER_DISABLED)
    assert event.payload["reason"] == "gone"
    assert world.delivery().state is DeliveryState.WAITING
    assert not world.queues.deliveries


def test_a_consumer_that_failed_for_five_days_is_disabled_and_announced_once(world: World) -> None:
    world.consumer()
    world.happens(hold_event("event-1"))
    world.answers = [BROKEN] * 100
    world.work_off()
    world.now = NOW + timedelta(days=5) - timedelta(seconds=1)
    world.happens(hold_event("event-2", world.now))
    world.deliver("event-2")
    assert not webhook_items.consumer(world.store, "consumer-1").disabled
    world.work_off()
    assert webhook_items.consumer(world.store, "consumer-1").disabled
    [event] = world.events(event_types.CONSUMER_DISABLED)
    assert event.payload["reason"] == "failing"
    assert event.payload["failingSince"] == iso(NOW)
    assert world.delivery("consumer-1", "event-2").state is DeliveryState.WAITING


def test_a_consumer_that_was_enabled_again_has_five_days_anew(world: World) -> None:
    world.consumer(failing_since=NOW - timedelta(days=6))
    world.happens(hold_event())
    world.answers = [BROKEN, BROKEN]
    world.work_off()
    world.change(disabled=False)
    world.now += timedelta(seconds=1)
    resume(world.ports, world.now, "consumer-1")
    world.work_off()
    assert not webhook_items.consumer(world.store, "consumer-1").disabled
    assert world.delivery().state is DeliveryState.SUCCESS


def test_one_success_ends_the_days_of_failure(world: World) -> None:
    world.consumer(failing_since=NOW - timedelta(days=4))
    world.happens(hold_event())
    world.work_off()
    assert webhook_items.consumer(world.store, "consumer-1").failing_since is None


def test_what_happens_while_a_consumer_is_disabled_waits_and_goes_on_in_order(world: World) -> None:
    world.consumer(disabled=True)
    world.happens(hold_event("event-2", NOW + timedelta(seconds=2)))
    world.happens(hold_event("event-1", NOW + timedelta(seconds=1)))
    world.work_off()
    assert world.posts == []
    assert world.delivery().state is DeliveryState.WAITING
    world.change(disabled=False)
    resume(world.ports, world.now + timedelta(seconds=3), "consumer-1")
    world.work_off()
    assert [headers["webhook-id"] for _, _, headers, _ in world.posts] == ["event-1", "event-2"]


def test_a_retry_under_way_when_the_consumer_is_disabled_waits_too(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.queues.take("deliveries")
    world.answers = [BROKEN]
    world.deliver()
    world.change(disabled=True)
    world.work_off()
    assert world.delivery().state is DeliveryState.WAITING
    assert len(world.posts) == 1


def test_a_consumer_enabled_at_that_moment_leaves_nothing_waiting(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.change(disabled=True)
    commit, raced = world.table.commit, []

    def race(*writes: Write) -> None:
        if not raced:
            raced.append(True)
            world.change(disabled=False)
        commit(*writes)

    world.table.commit = race  # type: ignore[method-assign]
    with pytest.raises(ConditionFailed):
        world.deliver()
    world.work_off()
    assert world.delivery().state is DeliveryState.SUCCESS
