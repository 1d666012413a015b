"""Replays send all failed deliveries again, in order and with the same ids, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.webhooks.replay import ReplayState, Selection
from feedlane.webhooks.replayer import replay_one, resume, start
from tests.builders import NOW
from tests.unit.webhooks.replays import HOUR, failed, posted, replay, state
from tests.worlds.webhooks import World, hold_event


@pytest.fixture
def world() -> World:
    return World()


def test_what_is_not_there_or_disabled_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        replay_one(world.ports, NOW, "nobody", "event-1")
    world.consumer(disabled=True)
    with pytest.raises(NotFound):
        replay_one(world.ports, NOW, "consumer-1", "nothing")
    world.happens(hold_event())
    with pytest.raises(Conflict):
        replay_one(world.ports, NOW, "consumer-1", "event-1")
    with pytest.raises(Conflict):
        replay(world)
    with pytest.raises(NotFound):
        start(world.ports, NOW, "nobody", Selection.FAILED, NOW)
    with pytest.raises(Invalid):
        start(world.ports, NOW, "consumer-1", Selection.FAILED, NOW + HOUR)


def test_all_that_failed_is_sent_in_the_order_of_the_events(world: World) -> None:
    ids = failed(world, 5)
    started = replay(world)
    world.work_off()
    assert posted(world) == ids
    ended = state(world, started)
    assert (ended.state, ended.succeeded, ended.failed) == (ReplayState.DONE, 5, 0)


def test_what_arrived_is_not_sent_again_unless_all_is_asked_for(world: World) -> None:
    ids = failed(world, 2)
    world.happens(hold_event("fine", NOW + timedelta(seconds=9)))
    world.work_off()
    world.posts.clear()
    replay(world)
    world.work_off()
    assert posted(world) == ids
    world.posts.clear()
    replay(world, Selection.ALL)
    world.work_off()
    assert posted(world) == [*ids, "fine"]


def test_only_the_company_and_the_time_asked_for(world: World) -> None:
    world.consumer()
    for n in range(4):
        event = hold_event(f"event-{n}", NOW + timedelta(minutes=n))
        world.happens(event if n != 2 else event.but(company_id="another"))
    world.work_off()
    world.posts.clear()
    world.now = NOW + HOUR
    start(world.ports,
        world.now, "consumer-1", Selection.ALL, NOW + timedelta(minutes=1),
        NOW + timedelta(minutes=2), "company-1",
    )  # fmt: skip
    world.work_off()
    assert posted(world) == ["event-1"]


def test_one_whose_message_was_lost_is_found_after_an_hour(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.queues.take("deliveries")
    world.now = NOW + timedelta(minutes=30)
    replay(world)
    world.work_off()
    assert world.posts == [], "it may be on its way"
    world.now = NOW + timedelta(hours=2)
    replay(world)
    world.work_off()
    assert posted(world) == ["event-1"]


def test_the_same_replay_asked_for_while_it_runs_is_that_one_and_doubles_nothing(world: World) -> None:
    ids = failed(world, 6)
    first = replay(world)
    second = replay(world)
    assert first == second.but(version=first.version)
    assert len(world.queues.replays) == 2, "two messages"
    world.work_off()
    assert posted(world) == ids


def test_two_different_replays_at_once_double_nothing_and_keep_the_order(world: World) -> None:
    ids = failed(world, 6)
    world.during_post = lambda: setattr(world, "now", world.now + timedelta(seconds=2))
    replay(world)
    replay(world, company_id="company-1")
    world.work_off()
    assert posted(world) == ids


def test_a_replay_again_after_it_ended_is_a_new_one(world: World) -> None:
    [id] = failed(world, 1)
    replay(world, Selection.ALL)
    world.work_off()
    again = replay(world, Selection.ALL)
    world.work_off()
    assert posted(world) == [id, id]
    assert state(world, again).state is ReplayState.DONE


def test_many_are_read_page_by_page_and_worked_on_in_steps(world: World) -> None:
    world.consumer(disabled=True)
    for n in range(450):
        world.happens(hold_event(f"event-{n:03d}", NOW + timedelta(seconds=n)))
    world.now = NOW + HOUR
    world.change(disabled=False)
    world.during_post = lambda: setattr(world, "now", world.now + timedelta(milliseconds=100))
    query, page_sizes = world.table.query, []

    def counted(*args: object, **named: object) -> object:
        items = list(query(*args, **named))  # type: ignore[arg-type]
        page_sizes.append(len(items))
        return items

    world.table.query = counted  # type: ignore[method-assign,assignment]
    started = resume(world.ports, world.now, "consumer-1")
    world.work_off()
    assert posted(world) == [f"event-{n:03d}" for n in range(450)]
    assert max(page_sizes) <= 101
    assert state(world, started).succeeded == 450
    assert state(world, started).version > 7, "no step takes longer than its six seconds"


def test_what_the_list_did_not_show_at_first_is_found_at_the_second_look(world: World) -> None:
    world.consumer(disabled=True)
    world.happens(hold_event("event-1"))
    world.happens(hold_event("event-2", NOW + timedelta(seconds=1)))
    world.now = NOW + HOUR
    world.change(disabled=False)
    item = world.table.items[("CONSUMER#consumer-1", "DELIVERY#event-1")]
    index_keys = {name: item.pop(name) for name in ("gsi1pk", "gsi1sk")}
    resume(world.ports, world.now, "consumer-1")
    world.work_off_one("replays")
    assert posted(world) == ["event-2"]
    item |= index_keys
    world.work_off()
    assert posted(world) == ["event-2", "event-1"]


def test_enabling_twice_starts_it_anew_and_doubles_nothing(world: World) -> None:
    world.consumer(disabled=True)
    world.happens(hold_event())
    world.now = NOW + HOUR
    world.change(disabled=False)
    for _ in range(2):
        resume(world.ports, world.now, "consumer-1")
    world.work_off()
    assert posted(world) == ["event-1"]
