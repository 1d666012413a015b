"""One delivery: each event at least once to each consumer, on schedule, whatever crashes on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane import event as types
from feedlane.clock import iso
from feedlane.delivery import Answer, DeliveryState
from feedlane.errors import Unavailable
from feedlane.replaying import resume
from feedlane.store.table import ConditionFailed, Delete, Write
from tests.unit.webhooks.given import BROKEN, NOW, OK, World, event_key, hold_event


@pytest.fixture
def world() -> World:
    return World()


def test_an_event_reaches_its_consumer_once(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.work_off()
    [(_, url, headers, body)] = world.posts
    assert url == "https://consumer-1.example/hooks"
    assert headers["webhook-id"] == "event-1"
    assert b'"eventType":"bankFeeds.held"' in body
    assert world.delivery().state is DeliveryState.SUCCESS
    assert not world.queues.deliveries


def test_a_failing_delivery_is_tried_eight_times_over_a_day_and_then_given_up(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.answers = [BROKEN] * 8
    world.work_off()
    waits = [
        (after[0] - before[0]).total_seconds() for before, after in zip(world.posts, world.posts[1:], strict=False)
    ]
    assert waits == [5, 300, 1800, 7200, 18_000, 36_000, 36_000]
    assert world.delivery().state is DeliveryState.FAILURE
    assert len(world.delivery().attempts) == 8


def test_every_attempt_has_the_same_id_and_body_and_a_time_of_its_own(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.answers = [BROKEN, BROKEN, BROKEN]
    world.work_off()
    assert len({body for *_, body in world.posts}) == 1
    assert {headers["webhook-id"] for _, _, headers, _ in world.posts} == {"event-1"}
    assert [int(headers["webhook-timestamp"]) for _, _, headers, _ in world.posts] == [
        int(time.timestamp()) for time, *_ in world.posts
    ]


def test_a_delay_of_hours_comes_round_in_messages_of_fifteen_minutes(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.queues.take("deliveries")
    world.answers = [BROKEN] * 4
    for _ in range(4):
        world.deliverer.deliver("consumer-1", "event-1")
        due = world.delivery().due
        assert due is not None
        world.now = due
    assert world.delivery().due == world.now
    world.now -= timedelta(seconds=7200)
    world.queues.take("deliveries")
    world.deliverer.deliver("consumer-1", "event-1")
    assert world.queues.deliveries == [("consumer-1", "event-1", 900)]
    assert len(world.posts) == 4


def test_a_second_message_does_not_post_while_the_first_is_posting(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.meanwhile = lambda: None if len(world.posts) > 1 else _deliver(world)
    world.work_off()
    assert len(world.posts) == 1
    assert world.delivery().state is DeliveryState.SUCCESS


def test_two_workers_that_read_the_same_delivery_post_it_once(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    commit, raced = world.table.commit, []

    def race(*writes: Write) -> None:
        """Another worker claims in between."""
        if not raced:
            raced.append(True)
            world.deliverer.deliver("consumer-1", "event-1")
        commit(*writes)

    world.table.commit = race  # type: ignore[method-assign]
    world.queues.take("deliveries")
    assert world.deliverer.deliver("consumer-1", "event-1") is None
    assert len(world.posts) == 1
    assert world.queues.deliveries == [("consumer-1", "event-1", 1)], "in case the other one crashes"


def test_a_message_of_a_delivery_that_ended_does_nothing(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.work_off()
    _deliver(world)
    assert len(world.posts) == 1
    assert not world.queues.deliveries


def test_a_crash_after_the_claim_is_made_good_when_the_message_comes_again(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.queues.take("deliveries")

    def crash() -> None:
        raise KeyboardInterrupt

    world.meanwhile = crash
    with pytest.raises(KeyboardInterrupt):
        _deliver(world)
    world.meanwhile = lambda: None
    _deliver(world)
    assert len(world.posts) == 1, "the claim stands"
    world.work_off()
    assert len(world.posts) == 2, "at least once"
    assert world.delivery().state is DeliveryState.SUCCESS


def test_a_crash_after_the_attempt_was_written_down_does_not_end_the_retries(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.queues.take("deliveries")
    world.answers = [BROKEN]
    _deliver(world)
    world.queues.take("deliveries")  # lost with the crash; the message itself comes again
    _deliver(world)
    world.work_off()
    assert [one.status for one in world.delivery().attempts] == [500, 204]


def test_whoever_lost_the_claim_while_posting_does_not_write(world: World) -> None:
    world.consumer()
    world.happens(hold_event())

    def takes_too_long() -> None:
        world.meanwhile = lambda: None
        world.now += timedelta(minutes=5)
        _deliver(world)

    world.meanwhile = takes_too_long
    world.answers = [OK, BROKEN]
    with pytest.raises(ConditionFailed):
        _deliver(world)
    assert world.delivery().state is DeliveryState.SUCCESS


def test_without_a_secret_no_attempt_is_used_up(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.secrets = []
    with pytest.raises(Unavailable):
        _deliver(world)
    assert world.delivery().attempts == ()
    assert world.delivery().claimed_until is None


def test_a_consumer_that_is_gone_is_disabled_and_that_is_announced_in_the_same_commit(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.answers = [Answer(status=410)]
    world.queues.take("deliveries")
    _deliver(world)
    assert world.store.consumer("consumer-1").disabled
    [event] = world.outbox(types.CONSUMER_DISABLED)
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
    _deliver(world, "event-2")
    assert not world.store.consumer("consumer-1").disabled
    world.work_off()
    assert world.store.consumer("consumer-1").disabled
    [event] = world.outbox(types.CONSUMER_DISABLED)
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
    resume(world.store, world.queues, world.now, "consumer-1")
    world.work_off()
    assert not world.store.consumer("consumer-1").disabled
    assert world.delivery().state is DeliveryState.SUCCESS


def test_one_success_ends_the_days_of_failure(world: World) -> None:
    world.consumer(failing_since=NOW - timedelta(days=4))
    world.happens(hold_event())
    world.work_off()
    assert world.store.consumer("consumer-1").failing_since is None


def test_what_happens_while_a_consumer_is_disabled_waits_and_goes_on_in_order(world: World) -> None:
    world.consumer(disabled=True)
    world.happens(hold_event("event-2", NOW + timedelta(seconds=2)))
    world.happens(hold_event("event-1", NOW + timedelta(seconds=1)))
    world.work_off()
    assert world.posts == []
    assert world.delivery().state is DeliveryState.WAITING
    world.change(disabled=False)
    resume(world.store, world.queues, world.now + timedelta(seconds=3), "consumer-1")
    world.work_off()
    assert [headers["webhook-id"] for _, _, headers, _ in world.posts] == ["event-1", "event-2"]


def test_a_retry_under_way_when_the_consumer_is_disabled_waits_too(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.queues.take("deliveries")
    world.answers = [BROKEN]
    _deliver(world)
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
        _deliver(world)
    world.work_off()
    assert world.delivery().state is DeliveryState.SUCCESS


def test_a_deleted_consumer_gets_nothing_more(world: World) -> None:
    consumer = world.consumer()
    world.happens(hold_event())
    world.store.commit(world.store.remove_consumer(consumer))
    world.work_off()
    assert world.posts == []


def test_an_event_past_its_days_in_the_outbox_ends_its_delivery(world: World) -> None:
    world.consumer()
    event = world.happens(hold_event())
    world.store.commit(Delete(event_key(event)))
    world.work_off()
    assert world.delivery().state is DeliveryState.FAILURE


def test_a_change_of_the_consumer_during_a_post_is_kept(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.meanwhile = lambda: world.change(url="https://other.example/") if len(world.posts) == 1 else None
    world.answers = [BROKEN]
    world.work_off()
    consumer = world.store.consumer("consumer-1")
    assert consumer.url == "https://other.example/"
    assert [url for _, url, *_ in world.posts] == ["https://consumer-1.example/hooks", "https://other.example/"]


def test_headers_of_the_platforms_own_go_along_and_cannot_replace_the_signature(world: World) -> None:
    world.headers = {"Authorization": "Bearer abc", "webhook-id": "forged"}
    world.consumer(header_names=("Authorization",))
    world.happens(hold_event())
    world.work_off()
    [(_, _, headers, _)] = world.posts
    assert headers["Authorization"] == "Bearer abc"
    assert headers["webhook-id"] == "event-1"


def test_a_consumer_without_headers_costs_no_question(world: World) -> None:
    world.headers = {"Authorization": "not asked for"}
    world.consumer()
    world.happens(hold_event())
    world.work_off()
    assert "Authorization" not in world.posts[0][2]


def _deliver(world: World, event_id: str = "event-1") -> None:
    world.deliverer.deliver("consumer-1", event_id)
