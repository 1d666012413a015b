"""A delivery: signed, retried on its schedule, and always with the same id."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedlane.errors import Unavailable
from feedlane.store.table import Delete
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.delivery import DeliveryState
from tests.worlds.webhooks import BROKEN, World, event_key, hold_event


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


def test_without_a_secret_no_attempt_is_used_up(world: World) -> None:
    world.consumer()
    world.happens(hold_event())
    world.secrets = []
    with pytest.raises(Unavailable):
        world.deliver()
    assert world.delivery().attempts == ()
    assert world.delivery().claimed_until is None


def test_a_deleted_consumer_gets_nothing_more(world: World) -> None:
    consumer = world.consumer()
    world.happens(hold_event())
    world.store.commit(webhook_items.remove_consumer(consumer))
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
    world.during_post = lambda: world.change(url="https://other.example/") if len(world.posts) == 1 else None
    world.answers = [BROKEN]
    world.work_off()
    consumer = webhook_items.consumer(world.store, "consumer-1")
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
