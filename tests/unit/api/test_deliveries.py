"""Feedlane's own routes of webhook consumers: deliveries and their replay."""

from __future__ import annotations

import json

import pytest

from feedlane.events.outbox import put_event
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import ATTEMPTS_KEPT_MAX, Attempt, Delivery, DeliveryState
from tests.builders import NOW
from tests.unit.api.conftest import Call
from tests.worlds.api import World
from tests.worlds.webhooks import hold_event

CONSUMER_PATH = "/webhooks/consumer-1"
SINCE = "2026-05-20T00:00:00Z"


def add_delivery(world: World, event_id: str, state: DeliveryState, seconds: int = 0, **fields: object) -> Delivery:
    event = hold_event(event_id, NOW.replace(second=seconds))
    attempt = Attempt(time=NOW, status=500, duration_ms=31, excerpt="oops")
    delivery = Delivery.of(event, "consumer-1").but(state=state, attempts=(attempt,), tries=1, **fields)
    world.store.commit(put_event(event), webhook_items.put_delivery(delivery, NOW))
    return delivery


@pytest.fixture
def consumer(world: World) -> Consumer:
    consumer = Consumer(id="consumer-1", url="https://hooks.example.com/", created=NOW)
    world.store.commit(webhook_items.add_consumer(consumer))
    return consumer


def test_a_delivery_is_shown_with_its_attempts(call: Call, world: World, consumer: Consumer) -> None:
    add_delivery(world, "event-1", DeliveryState.ATTEMPTING, due=NOW)
    assert call("GET", f"{CONSUMER_PATH}/deliveries/event-1").body == {
        "id": "event-1",
        "webhookId": "consumer-1",
        "eventType": "bankFeeds.held",
        "companyId": "company-1",
        "generatedDate": "2026-05-20T12:00:00.000Z",
        "status": "Attempting",
        "nextAttempt": "2026-05-20T12:00:00.000Z",
        "attempts": [
            {
                "time": "2026-05-20T12:00:00.000Z",
                "status": 500,
                "error": None,
                "durationMs": 31,
                "response": "oops",
            }
        ],
    }
    assert call("GET", f"{CONSUMER_PATH}/deliveries/nothing").status == 404


def test_the_largest_page_fits_into_an_answer(call: Call, world: World, consumer: Consumer) -> None:
    attempts = (Attempt(time=NOW, status=500, duration_ms=15_000, excerpt="\u0000" * 2000),) * ATTEMPTS_KEPT_MAX
    for n in range(100):
        event = hold_event(f"event-{n:03d}", NOW)
        delivery = Delivery.of(event, "consumer-1").but(state=DeliveryState.FAILURE, attempts=attempts)
        world.store.commit(webhook_items.put_delivery(delivery, NOW))
    page = call("GET", f"{CONSUMER_PATH}/deliveries?pageSize=100")
    following = call("GET", page.body["_links"]["next"]["href"])
    ids = [delivery["id"] for answer in (page, following) for delivery in answer.body["results"]]
    assert sorted(ids) == [f"event-{n:03d}" for n in range(100)]
    # In Lambda's answer the body is a string in JSON.
    assert len(json.dumps(page.text)) < 6_000_000
    assert len(call("GET", f"{CONSUMER_PATH}/deliveries/event-000").body["attempts"][0]["response"]) == 2000


def test_one_delivery_is_replayed(call: Call, world: World, consumer: Consumer) -> None:
    add_delivery(world, "event-1", DeliveryState.FAILURE)
    replayed = call("POST", f"{CONSUMER_PATH}/deliveries/event-1/replay")
    assert (replayed.status, replayed.body["id"], replayed.body["status"]) == (202, "event-1", "Sending")
    # The first covers a crash before the second.
    assert world.queues.deliveries == [("consumer-1", "event-1", 20), ("consumer-1", "event-1", 0)]
    assert call("POST", f"{CONSUMER_PATH}/deliveries/nothing/replay").status == 404
    assert call("POST", "/webhooks/nobody/deliveries/event-1/replay").status == 404


def test_a_replay_goes_on_by_itself_and_can_be_looked_at(call: Call, world: World, consumer: Consumer) -> None:
    started = call("POST", f"{CONSUMER_PATH}/replays", {"since": SINCE})
    assert started.status == 202
    assert (started.body["which"], started.body["status"], started.body["since"]) == (
        "failed", "Running", "2026-05-20T00:00:00.000Z",
    )  # fmt: skip
    assert world.queues.replays == [("consumer-1", started.body["id"], 0)]
    assert call("GET", f"{CONSUMER_PATH}/replays/{started.body['id']}").body == started.body
    assert call("GET", f"{CONSUMER_PATH}/replays").body == {"results": [started.body]}
    assert call("POST", f"{CONSUMER_PATH}/replays", {"since": SINCE}).body["id"] == started.body["id"], "while it runs"
    assert call("GET", f"{CONSUMER_PATH}/replays/nothing").status == 404
    assert call("GET", "/webhooks/nobody/replays").status == 404


def test_a_replay_of_a_companys_events(call: Call, world: World, consumer: Consumer, ids: dict[str, str]) -> None:
    body = {"since": SINCE, "until": "2026-05-20T11:00:00+01:00", "which": "all", "companyId": ids["company_id"]}
    started = call("POST", f"{CONSUMER_PATH}/replays", body).body
    assert (started["which"], started["companyId"]) == ("all", ids["company_id"])
    assert started["until"] == "2026-05-20T10:00:00.000Z"
    assert call("POST", f"{CONSUMER_PATH}/replays", body | {"companyId": "nobody"}).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2027-01-01T00:00:00Z"}, "since"),
        ({"since": SINCE, "until": "2026-05-03T00:00:00Z"}, "since"),
        ({"since": SINCE, "until": "soon"}, "until"),
        ({"since": SINCE, "which": "waiting"}, "which"),
        ({"since": 7}, "since"),
    ],
)
def test_a_replay_that_is_not_understood_names_the_field(
    call: Call, world: World, consumer: Consumer, body: dict[str, object], field: str
) -> None:
    refused = call("POST", f"{CONSUMER_PATH}/replays", body)
    assert refused.status == 400
    assert refused.invalid_fields == [field]
    assert world.queues.replays == []


def test_a_disabled_consumer_is_enabled_before_a_replay(call: Call, world: World, consumer: Consumer) -> None:
    add_delivery(world, "event-1", DeliveryState.FAILURE)
    world.store.commit(webhook_items.put_consumer(consumer.but(disabled=True)))
    for path, body in (
        (f"{CONSUMER_PATH}/replays", {"since": SINCE}),
        (f"{CONSUMER_PATH}/deliveries/event-1/replay", None),
    ):
        refused = call("POST", path, body)
        assert refused.status == 409
        assert "enable it first" in refused.body["error"]
