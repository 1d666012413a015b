"""Replays: what did not arrive is sent once more, in order, under the same id, and never twice because of a crash."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedlane.delivery import Answer, DeliveryState
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.replay import PATIENCE, Replay, ReplayState, Which
from feedlane.replaying import replay_one, resume, start
from feedlane.store import replays
from tests.unit.webhooks.given import BROKEN, NOW, OK, TIMEOUT, World, hold_event
from tests.unit.webhooks.test_crashes import Crash, Faults

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return World()


def failed(world: World, number: int = 3) -> list[str]:
    """Events that have been given up, in their order."""
    world.consumer()
    ids = [f"event-{n}" for n in range(number)]
    for n, id in enumerate(ids):
        world.happens(hold_event(id, NOW + timedelta(seconds=n)))
    world.answers = [BROKEN] * 8 * number
    world.work_off()
    assert {world.delivery(event_id=id).state for id in ids} == {DeliveryState.FAILURE}
    world.posts.clear()
    return ids


def replay(world: World, which: Which = Which.FAILED, **fields: object) -> Replay:
    world.now += timedelta(seconds=1)
    return start(world.store, world.queues, world.now, "consumer-1", which, NOW - HOUR, **fields)  # type: ignore[arg-type]


def posted(world: World) -> list[str]:
    return [headers["webhook-id"] for _, _, headers, _ in world.posts]


def state(world: World, replay: Replay) -> Replay:
    found = replays.find_replay(world.store, replay.consumer_id, replay.id)
    assert found
    return found


def test_one_delivery_is_sent_again_at_once_under_the_same_id_with_the_same_body(world: World) -> None:
    [id] = failed(world, 1)
    again = replay_one(world.store, world.queues, world.now, "consumer-1", id)
    assert again.state is DeliveryState.SENDING
    world.work_off()
    assert posted(world) == [id]
    assert world.delivery(event_id=id).state is DeliveryState.SUCCESS
    assert len(world.delivery(event_id=id).attempts) == 9, "the attempts before are kept"


def test_a_delivery_that_arrived_can_be_sent_again_and_has_its_whole_schedule(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.work_off()
    replay_one(world.store, world.queues, world.now, "consumer-1", "event-1")
    world.answers = [BROKEN] * 7
    world.work_off()
    assert len(world.posts) == 9
    assert world.delivery().state is DeliveryState.SUCCESS


def test_asking_twice_for_one_delivery_sends_it_once(world: World) -> None:
    [id] = failed(world, 1)
    for _ in range(2):
        replay_one(world.store, world.queues, world.now, "consumer-1", id)
    world.work_off()
    assert posted(world) == [id]


def test_a_delivery_that_is_being_posted_is_left_alone(world: World) -> None:
    world.consumer()
    world.happens(hold_event())

    def ask() -> None:
        if len(world.posts) == 1:
            replay_one(world.store, world.queues, world.now, "consumer-1", "event-1")

    world.meanwhile = ask
    world.work_off()
    assert len(world.posts) == 1


def test_what_is_not_there_or_disabled_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        replay_one(world.store, world.queues, NOW, "nobody", "event-1")
    world.consumer(disabled=True)
    with pytest.raises(NotFound):
        replay_one(world.store, world.queues, NOW, "consumer-1", "nothing")
    world.happens(hold_event())
    with pytest.raises(Conflict):
        replay_one(world.store, world.queues, NOW, "consumer-1", "event-1")
    with pytest.raises(Conflict):
        replay(world)
    with pytest.raises(NotFound):
        start(world.store, world.queues, NOW, "nobody", Which.FAILED, NOW)
    with pytest.raises(Invalid):
        start(world.store, world.queues, NOW, "consumer-1", Which.FAILED, NOW + HOUR)


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
    replay(world, Which.ALL)
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
    start(
        world.store, world.queues, world.now, "consumer-1", Which.ALL, NOW + timedelta(minutes=1),
        NOW + timedelta(minutes=2), "company-1",
    )  # fmt: skip
    world.work_off()
    assert posted(world) == ["event-1"]


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
    assert len(world.posts) == 6, "the message of the retry finds that it is over"


def test_a_retry_of_its_own_schedule_in_between_does_not_make_a_replay_wait_for_hours(world: World) -> None:
    world.consumer()
    for n in range(2):
        world.happens(hold_event(f"event-{n}", NOW + timedelta(seconds=n)))
    world.answers = [BROKEN] * 10
    while world.answers:
        world.work_off_one("deliveries")
    started = replay(world)
    world.answers = [BROKEN]
    tried = world.delivery(event_id="event-0")
    assert tried.due
    world.now = max(world.now, tried.due)
    world.deliverer.deliver("consumer-1", "event-0")  # its own retry, which fails once more: the next is in hours
    before = world.now
    world.work_off()
    times = {headers["webhook-id"]: time for time, _, headers, _ in world.posts}
    assert times["event-1"] - before < timedelta(minutes=1)
    assert state(world, started).succeeded == 2


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


def test_the_next_waits_until_the_one_before_has_arrived(world: World) -> None:
    ids = failed(world)
    world.answers = [BROKEN, OK, OK, OK]
    replay(world)
    world.work_off()
    assert posted(world) == [ids[0], ids[0], ids[1], ids[2]]


def test_one_that_cannot_be_delivered_stops_the_others_for_three_attempts_only(world: World) -> None:
    ids = failed(world, 2)
    world.answers = [BROKEN] * PATIENCE
    started = replay(world)
    before = world.now
    world.work_off()
    assert posted(world)[: PATIENCE + 1] == [ids[0]] * PATIENCE + [ids[1]]
    assert world.posts[PATIENCE][0] - before < timedelta(minutes=6)
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


def test_the_same_replay_asked_for_while_it_runs_is_that_one_and_doubles_nothing(world: World) -> None:
    ids = failed(world, 6)
    first = replay(world)
    second = replay(world)
    assert first == second.but(version=first.version)
    assert len(world.queues.replays) == 2, "two bells"
    world.work_off()
    assert posted(world) == ids


def test_two_different_replays_at_once_double_nothing_and_keep_the_order(world: World) -> None:
    ids = failed(world, 6)
    world.meanwhile = lambda: setattr(world, "now", world.now + timedelta(seconds=2))
    replay(world)
    replay(world, company_id="company-1")
    world.work_off()
    assert posted(world) == ids


def test_a_replay_again_after_it_ended_is_a_new_one(world: World) -> None:
    [id] = failed(world, 1)
    replay(world, Which.ALL)
    world.work_off()
    again = replay(world, Which.ALL)
    world.work_off()
    assert posted(world) == [id, id]
    assert state(world, again).state is ReplayState.DONE


def test_many_are_read_page_by_page_and_worked_on_in_steps(world: World) -> None:
    world.consumer(disabled=True)
    for n in range(450):
        world.happens(hold_event(f"event-{n:03d}", NOW + timedelta(seconds=n)))
    world.now = NOW + HOUR
    world.change(disabled=False)
    world.meanwhile = lambda: setattr(world, "now", world.now + timedelta(milliseconds=100))
    query, read = world.table.query, []

    def counted(*args: object, **named: object) -> object:
        found = list(query(*args, **named))  # type: ignore[arg-type]
        read.append(len(found))
        return found

    world.table.query = counted  # type: ignore[method-assign,assignment]
    started = resume(world.store, world.queues, world.now, "consumer-1")
    world.work_off()
    assert posted(world) == [f"event-{n:03d}" for n in range(450)]
    assert max(read) <= 101
    assert state(world, started).succeeded == 450
    assert state(world, started).version > 7, "no step takes longer than its six seconds"


def test_what_the_list_did_not_show_at_first_is_found_at_the_second_look(world: World) -> None:
    world.consumer(disabled=True)
    world.happens(hold_event("event-1"))
    world.happens(hold_event("event-2", NOW + timedelta(seconds=1)))
    world.now = NOW + HOUR
    world.change(disabled=False)
    key = world.table.items[("CONSUMER#consumer-1", "DELIVERY#event-1")]
    hidden = {name: key.pop(name) for name in ("gsi1pk", "gsi1sk")}
    resume(world.store, world.queues, world.now, "consumer-1")
    world.work_off_one("replays")
    assert posted(world) == ["event-2"]
    key |= hidden
    world.work_off()
    assert posted(world) == ["event-2", "event-1"]


def test_a_crash_at_the_first_attempt_of_what_waited_leaves_nothing_behind(world: World) -> None:
    world.consumer(disabled=True)
    world.happens(hold_event())
    world.now = NOW + HOUR
    world.change(disabled=False)

    def crash() -> None:
        if len(world.posts) == 1:
            raise Crash

    world.meanwhile = crash
    resume(world.store, world.queues, world.now, "consumer-1")
    world.work_off(crash=Crash)
    assert posted(world) == ["event-1", "event-1"], "at least once"
    assert world.delivery().state is DeliveryState.SUCCESS


def test_enabling_twice_starts_it_anew_and_doubles_nothing(world: World) -> None:
    world.consumer(disabled=True)
    world.happens(hold_event())
    world.now = NOW + HOUR
    world.change(disabled=False)
    for _ in range(2):
        resume(world.store, world.queues, world.now, "consumer-1")
    world.work_off()
    assert posted(world) == ["event-1"]


turns = st.sets(st.integers(1, 150), max_size=20)


@settings(max_examples=50, deadline=None)
@given(before=turns, after=turns, answers=st.lists(st.sampled_from([OK, BROKEN, TIMEOUT]), max_size=7))
def test_whatever_crashes_a_replay_brings_each_event_in_order(
    before: set[int], after: set[int], answers: list[Answer]
) -> None:
    world = World()
    ids = failed(world, 4)
    world.answers = list(answers)  # fewer than the eight that would give one up
    faults = Faults(before, after)
    while True:
        try:
            replay(world)
            break
        except Crash:
            continue
    for name in ("commit", "get_many", "get", "query"):
        setattr(world.table, name, faults.around(getattr(world.table, name)))
    for name in ("deliver", "replay"):
        setattr(world.queues, name, faults.around(getattr(world.queues, name)))
    object.__setattr__(world.deliverer, "post", faults.around(world.deliverer.post))
    world.work_off(500, crash=Crash)
    faults.calls = 10_000
    for id in ids:
        assert world.delivery(event_id=id).state is DeliveryState.SUCCESS
    firsts = list(dict.fromkeys(posted(world)))
    assert firsts == ids
    assert {headers["webhook-id"] for _, _, headers, _ in world.posts} == set(ids)
