"""Crashes anywhere between the bus and the consumer: nothing lost or invented, and what comes twice has one id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from feedlane.delivery import DeliveryState
from feedlane.routing import route
from feedlane.store.records import emitted
from feedlane.store.table import ConditionFailed
from tests.builders import NOW
from tests.unit.webhooks.crashing import Crash, Faults
from tests.worlds.webhooks import BROKEN, OK, TIMEOUT, World, hold_event

CONSUMERS = ("consumer-1", "consumer-2", "consumer-3")

turns = st.sets(st.integers(1, 120), max_size=25)


@settings(max_examples=150, deadline=None)
@given(before=turns, after=turns, answers=st.lists(st.sampled_from([OK, BROKEN, TIMEOUT]), max_size=8))
def test_whatever_crashes_each_consumer_has_each_event(before: set[int], after: set[int], answers: list[Any]) -> None:
    world, faults = World(answers=list(answers)), Faults(before, after)
    for id in CONSUMERS:
        world.consumer(id)
    events = [hold_event(f"event-{number}", NOW + timedelta(seconds=number)) for number in range(3)]
    for event in events:
        world.store.commit(emitted(event))
    world.table.commit = faults.around(world.table.commit)  # type: ignore[method-assign]
    world.table.get_many = faults.around(world.table.get_many)  # type: ignore[method-assign]
    world.queues.deliver = faults.around(world.queues.deliver)  # type: ignore[method-assign]
    object.__setattr__(world.deliverer, "post", faults.around(world.deliverer.post))

    for event in events:
        _until_done(lambda event=event: route(world.store, world.queues, event, world.now))  # type: ignore[misc]
    _work_off(world)

    faults.calls = 10_000
    wanted = {(id, event.id) for id in CONSUMERS for event in events}
    assert _arrived(world) == wanted
    assert {world.delivery(id, event_id).state for id, event_id in wanted} == {DeliveryState.SUCCESS}
    assert len({(headers["webhook-id"], body) for *_, headers, body in world.posts}) == len(events)


def _until_done(work: Callable[[], Any]) -> None:
    """Lambda's and the queue's patience: what dies is started again."""
    while True:
        try:
            work()
        except Crash:
            continue
        return


def _work_off(world: World) -> None:
    """A message is gone when its function came to the end; otherwise it comes again later."""
    waiting: list[tuple[datetime, str, str]] = []
    for _ in range(3000):
        for consumer_id, event_id, delay in world.queues.take("deliveries"):
            waiting.append((world.now + timedelta(seconds=delay), consumer_id, event_id))
        if not waiting:
            return
        waiting.sort()
        due, consumer_id, event_id = waiting.pop(0)
        world.now = max(world.now, due)
        try:
            world.deliverer.deliver(consumer_id, event_id)
        except (Crash, ConditionFailed):  # it lost its claim while it was at it
            waiting.append((world.now + timedelta(seconds=10), consumer_id, event_id))
    raise AssertionError("messages go round for ever")


def _arrived(world: World) -> set[tuple[str, str]]:
    """Each consumer with each event that was posted to it."""
    return {(url.removeprefix("https://").split(".")[0], headers["webhook-id"]) for _, url, headers, _ in world.posts}
