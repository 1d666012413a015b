"""Replays that crash anywhere: they still send what failed, in order."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedlane.webhooks.delivery import Answer, DeliveryState
from feedlane.webhooks.replayer import resume
from tests.builders import NOW
from tests.unit.webhooks.crashing import Crash, Faults
from tests.unit.webhooks.replays import HOUR, failed, posted, replay
from tests.worlds.webhooks import BROKEN, OK, TIMEOUT, World, hold_event


@pytest.fixture
def world() -> World:
    return World()


def test_a_crash_at_the_first_attempt_of_what_waited_leaves_nothing_behind(world: World) -> None:
    world.consumer(disabled=True)
    world.happens(hold_event())
    world.now = NOW + HOUR
    world.change(disabled=False)

    def crash() -> None:
        if len(world.posts) == 1:
            raise Crash

    world.during_post = crash
    resume(world.ports, world.now, "consumer-1")
    world.work_off(crash=Crash)
    assert posted(world) == ["event-1", "event-1"], "at least once"
    assert world.delivery().state is DeliveryState.SUCCESS


call_numbers = st.sets(st.integers(1, 150), max_size=20)


@settings(max_examples=50, deadline=None)
@given(before=call_numbers, after=call_numbers, answers=st.lists(st.sampled_from([OK, BROKEN, TIMEOUT]), max_size=7))
def test_whatever_crashes_a_replay_brings_each_event_in_order(
    before: set[int], after: set[int], answers: list[Answer]
) -> None:
    world = World()
    ids = failed(world, 4)
    world.answers = list(answers)  # fewer than the eight failures after which a delivery is given up
    faults = Faults(before, after)
    for name in ("commit", "get_many", "get", "query"):
        setattr(world.table, name, faults.around(getattr(world.table, name)))
    for name in ("deliver", "replay"):
        setattr(world.queues, name, faults.around(getattr(world.queues, name)))
    object.__setattr__(world.deliverer, "post", faults.around(world.deliverer.post))
    while not try_to_start(world):
        pass
    world.work_off(500, crash=Crash)
    faults.calls = 10_000
    for id in ids:
        assert world.delivery(event_id=id).state is DeliveryState.SUCCESS
    first_posts = list(dict.fromkeys(posted(world)))
    assert first_posts == ids
    assert {headers["webhook-id"] for _, _, headers, _ in world.posts} == set(ids)


def try_to_start(world: World) -> bool:
    """Whether a replay was requested without a crash. A caller without a response would repeat the request."""
    with suppress(Crash):
        replay(world)
        return True
    return False
