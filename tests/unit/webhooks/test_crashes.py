"""Crashes anywhere between the bus and the consumer: nothing is lost or invented, and repeats have the same id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from feedlane.events.outbox import put_event
from feedlane.store.table import ConditionFailed
from feedlane.webhooks.delivery import DeliveryState
from feedlane.webhooks.router import route
from tests.builders import NOW
from tests.unit.webhooks.crashing import Crash, Faults
from tests.worlds.webhooks import BROKEN, OK, TIMEOUT, World, hold_event

CONSUMERS = ("consumer-1", "consumer-2", "consumer-3")

call_numbers = st.sets(st.integers(1, 120), max_size=25)


@settings(max_examples=150, deadline=None)
@given(before=call_numbers, after=call_numbers, answers=st.lists(st.sampled_from([OK, BROKEN, TIMEOUT]), max_size=8))
def test_whatever_crashes_each_consumer_has_each_event(before: set[int], after: set[int], answers: list[Any]) -> None:
    world, faults = World(answers=list(answers)), Faults(before, after)
    for id in CONSUMERS:
        world.consumer(id)
    events = [hold_event(f"event-{number}", NOW + timedelta(seconds=number)) for number in range(3)]
    for event in events:
        world.store.commit(put_event(event))
    world.table.commit = faults.around(world.table.commit)  # type: ignore[method-assign]
    world.table.get_many = faults.around(world.table.get_many)  # type: ignore[method-assign]
    world.queues.deliver = faults.around(world.queues.deliver)  # type: ignore[method-assign]
    object.__setattr__(world.deliverer, "post", faults.around(world.deliverer.post))

    for event in events:
        _until_done(lambda event=event: route(world.ports, event, world.now))  # type: ignore[misc]
    _work_off(world)

    faults.calls = 10_000
    expected = {(id, event.id) for id in CONSUMERS for event in events}
    assert _arrived(world) == expected
    assert {world.delivery(id, event_id).state for id, event_id in expected} == {DeliveryState.SUCCESS}
    assert len({(headers["webhook-id"], body) for *_, headers, body in world.posts}) == len(events)


def _until_done(work: Callable[[], Any]) -> None:
    """Restarts what crashed, as Lambda and the queue do."""
    while True:
        try:
            work()
        except Crash:
            continue
        return


def _work_off(world: World) -> None:
    """Deletes a message once its function has finished; otherwise it is received again later."""
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
        except (Crash, ConditionFailed):  # the second: another worker took over the claim
            waiting.append((world.now + timedelta(seconds=10), consumer_id, event_id))
    raise AssertionError("messages are received again and again")


def _arrived(world: World) -> set[tuple[str, str]]:
    """Every consumer with every event posted to it."""
    return {(url.removeprefix("https://").split(".")[0], headers["webhook-id"]) for _, url, headers, _ in world.posts}
