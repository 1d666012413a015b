"""A consumer that hangs does not occupy the workers that other consumers need."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.webhooks.delivery import Answer, DeliveryState
from tests.builders import NOW
from tests.worlds.webhooks import BROKEN, OK, TIMEOUT, World, hold_event


def test_while_a_consumer_hangs_only_one_delivery_at_a_time_tries_it() -> None:
    world = _with_events(20)
    world.answers = [TIMEOUT]
    _deliver(world, 0)
    for number in range(1, 20):
        _deliver(world, number)
    assert len(world.posts) == 1
    world.now += timedelta(seconds=61)
    world.during_post = lambda: _deliver(world, 2) if len(world.posts) < 3 else None
    _deliver(world, 1)
    assert len(world.posts) == 2


def test_a_delivery_that_was_put_off_has_used_no_attempt() -> None:
    world = _with_events(2)
    world.answers = [TIMEOUT]
    _deliver(world, 0)
    _deliver(world, 1)
    delivery = world.delivery(event_id="event-1")
    assert (delivery.attempts, delivery.tries, delivery.state) == ((), 0, DeliveryState.SENDING)
    assert world.queues.deliveries[-1] == ("consumer-1", "event-1", 60)


def test_the_first_answer_in_time_lets_the_others_go() -> None:
    world = _with_events(5)
    world.answers = [TIMEOUT, TIMEOUT, OK]
    world.work_off()
    assert all(world.delivery(event_id=f"event-{n}").state is DeliveryState.SUCCESS for n in range(5))
    assert len(world.posts) == 7
    pause = world.pause()
    assert pause is not None
    assert not pause.is_active


def test_an_error_that_comes_at_once_pauses_nobody() -> None:
    world = _with_events(3)
    world.answers = [BROKEN, Answer(error="connection"), OK]
    for number in range(3):
        _deliver(world, number)
    assert len(world.posts) == 3
    pause = world.pause()
    assert pause is not None
    assert not pause.is_active


def test_many_time_outs_at_once_make_one_pause() -> None:
    world = _with_events(5)
    _deliver(world, 4)  # the consumer answers, and from then on gets many at once
    world.answers = [TIMEOUT] * 4

    def others_are_posting_too() -> None:
        if len(world.posts) < 5:
            _deliver(world, len(world.posts) - 1)

    world.during_post = others_are_posting_too
    _deliver(world, 0)
    assert len(world.posts) == 5
    pause = world.pause()
    assert pause is not None
    assert pause.seconds == 60


def test_a_worker_that_crashed_while_it_tried_leaves_the_consumer_to_the_next() -> None:
    world = _with_events(2)
    world.answers = [TIMEOUT]
    _deliver(world, 0)
    world.now += timedelta(seconds=61)
    world.during_post = _crash
    with pytest.raises(KeyboardInterrupt):
        _deliver(world, 1)
    world.during_post = lambda: None
    _deliver(world, 1)
    world.work_off()
    assert world.delivery(event_id="event-1").state is DeliveryState.SUCCESS


def test_other_consumers_are_not_paused() -> None:
    world = _with_events(1)
    world.consumer("consumer-2")
    world.answers = [TIMEOUT]
    _deliver(world, 0)
    world.happens(hold_event("event-9", NOW))
    world.deliverer.deliver("consumer-2", "event-9")
    assert world.delivery("consumer-2", "event-9").state is DeliveryState.SUCCESS


@pytest.mark.parametrize("silent_for", [None, timedelta(minutes=2)])
def test_a_consumer_that_has_not_answered_lately_is_tried_by_one_delivery_first(silent_for: timedelta | None) -> None:
    world = _with_events(10)
    if silent_for:
        _deliver(world, 9)
        world.now += silent_for
    before = len(world.posts)

    def others_come_too() -> None:
        world.during_post = lambda: None
        for number in range(1, 9):
            _deliver(world, number)

    world.during_post = others_come_too
    world.queues.take("deliveries")
    _deliver(world, 0)
    assert len(world.posts) == before + 1
    assert world.queues.take("deliveries") == [("consumer-1", f"event-{number}", 1) for number in range(1, 9)]
    for number in range(1, 9):
        _deliver(world, number)
    assert len(world.posts) == before + 9


def test_an_answer_counts_for_a_minute_from_the_last_one() -> None:
    world = _with_events(20)
    for number in range(18):
        world.now += timedelta(seconds=20)
        _deliver(world, number)
    world.during_post = lambda: _deliver(world, 19) if len(world.posts) == 19 else None
    _deliver(world, 18)
    assert len(world.posts) == 20


def test_a_consumer_that_is_slow_gets_one_delivery_at_a_time_until_it_is_quick_again() -> None:
    world, slow = _with_events(6), Answer(status=200, duration_ms=14_000)
    world.answers = [slow, slow, OK]
    _deliver(world, 0)
    world.during_post = lambda: _deliver(world, 5) if len(world.posts) == 2 else None
    world.queues.take("deliveries")
    _deliver(world, 1)
    assert len(world.posts) == 2
    assert world.queues.take("deliveries") == [("consumer-1", "event-5", 14)]
    world.work_off()
    _deliver(world, 2)
    pause = world.pause()
    assert pause is not None
    assert not pause.is_active


def _with_events(number: int) -> World:
    world = World()
    world.consumer()
    for position in range(number):
        world.happens(hold_event(f"event-{position}", NOW + timedelta(milliseconds=position)))
    return world


def _deliver(world: World, number: int) -> None:
    world.deliverer.deliver("consumer-1", f"event-{number}")


def _crash() -> None:
    raise KeyboardInterrupt
