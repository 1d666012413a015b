"""The sample events pass through their handlers, from the outbox to the consumer."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from feedlane.aws import queues as sqs
from feedlane.aws.metrics import Metric
from feedlane.aws.table_stream import events_in
from feedlane.events.envelope import event_from_detail
from feedlane.events.event import HELD, WRITE_UNSUCCESSFUL
from feedlane.events.outbox import put_event
from feedlane.events.relay import BusEntry, Reply
from feedlane.webhooks.delivery import Answer, Delivery, DeliveryState
from feedlane.webhooks.replay import Selection
from feedlane.webhooks.replayer import start
from tests.handlers import Context, load, sample
from tests.worlds.webhooks import BROKEN, World

CONSUMER = "9bf31c7f-f062-436a-96d3-c8bd1f8f2ff3"


class Bus:
    """A bus that refuses one type of event."""

    def __init__(self, refused_type: str = "") -> None:
        self.refused_type = refused_type
        self.entries: list[BusEntry] = []

    def put(self, entries: list[BusEntry]) -> list[Reply]:
        self.entries += entries
        return [Reply.NOT_NOW if entry.event.type == self.refused_type else Reply.ACCEPTED for entry in entries]


@pytest.fixture
def world() -> World:
    world = World()
    world.consumer(CONSUMER)
    return world


@pytest.fixture
def postponed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    postponed: list[tuple[str, int]] = []
    monkeypatch.setattr(sqs, "postpone", lambda queue, receipt, seconds: postponed.append((receipt, seconds)))
    return postponed


def test_relay_events_puts_new_events_of_the_outbox_on_the_bus_and_nothing_else() -> None:
    app, bus = load("relay_events"), Bus()
    app.bus = lambda: bus
    app.handler(sample("relay_events"), Context())
    assert [entry.event.type for entry in bus.entries] == [HELD, WRITE_UNSUCCESSFUL]


def test_relay_events_fails_at_the_first_that_the_bus_refused_so_that_the_batch_comes_again() -> None:
    app, event = load("relay_events"), sample("relay_events")
    app.bus = lambda: Bus(refused_type=WRITE_UNSUCCESSFUL)
    with pytest.raises(app.EventNotAccepted) as failure:
        app.handler(event, Context())
    assert failure.value.sequence_number == event["Records"][2]["dynamodb"]["SequenceNumber"]


def test_an_event_that_cannot_be_read_is_told_of_and_stops_nobody() -> None:
    batch, unreadable = sample("relay_events"), []
    del batch["Records"][0]["dynamodb"]["NewImage"]["type"]
    captured = list(events_in(batch, lambda key, reason: unreadable.append((key, reason))))
    assert [change.event.type for change in captured] == [WRITE_UNSUCCESSFUL]
    assert len(unreadable) == 1


def test_half_a_surrogate_pair_in_one_event_stops_no_other_and_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app, bus, batch = load("relay_events"), Bus(), sample("relay_events")
    batch["Records"][0]["dynamodb"]["NewImage"]["payload"] = {"S": json.dumps({"name": "a \ud83d"})}
    counted: list[Any] = []
    app.bus = lambda: bus
    monkeypatch.setattr(app.metrics, "count", lambda metric, number=1: counted.append(metric))
    app.handler(batch, Context())
    assert [entry.event.type for entry in bus.entries] == [WRITE_UNSUCCESSFUL]
    assert Metric.EVENTS_UNREADABLE in counted
    [said] = [vars(record) for record in caplog.records if "cannot be sent" in record.message]
    assert said["key"].startswith("EVENT#")
    assert said["reason"] == "it cannot be encoded: UnicodeEncodeError"


def test_route_events_makes_a_delivery_for_the_consumer(world: World, postponed: list[Any]) -> None:
    assert _route(world, sample("route_events")) == {"batchItemFailures": []}
    assert world.queues.deliveries == [(CONSUMER, _sample_detail()["id"], 0)]


def test_an_event_that_cannot_be_routed_comes_again_soon_and_stops_no_other(world: World, postponed: list[Any]) -> None:
    [good] = sample("route_events")["Records"]
    poison = good | {"messageId": "poison", "receiptHandle": "poison-receipt", "body": '{"detail": "nothing"}'}
    assert _route(world, {"Records": [poison, good]}) == {"batchItemFailures": [{"itemIdentifier": "poison"}]}
    assert world.queues.deliveries == [(CONSUMER, _sample_detail()["id"], 0)]
    assert postponed == [("poison-receipt", 2)]


def test_a_batch_of_events_reads_the_consumers_once(world: World, postponed: list[Any]) -> None:
    [record] = sample("route_events")["Records"]
    bodies = [json.loads(record["body"]) for _ in range(10)]
    for number, body in enumerate(bodies):
        body["detail"]["id"] = f"event-{number}"
        world.store.commit(put_event(event_from_detail(body["detail"])))
    query, queries = world.table.query, []

    def counted(*args: Any, **options: Any) -> Any:
        queries.append(args)
        return query(*args, **options)

    world.table.query = counted  # type: ignore[method-assign]
    records = [record | {"messageId": body["detail"]["id"], "body": json.dumps(body)} for body in bodies]
    assert _route(world, {"Records": records}) == {"batchItemFailures": []}
    assert [event_id for _, event_id, _ in world.queues.deliveries] == [f"event-{number}" for number in range(10)]
    assert len(queries) == 1


def test_a_batch_with_an_event_that_came_before_is_routed_one_by_one(world: World, postponed: list[Any]) -> None:
    [record] = sample("route_events")["Records"]
    again = json.loads(record["body"])
    again["detail"]["id"] = "event-2"
    for detail in (_sample_detail(), again["detail"]):
        world.store.commit(put_event(event_from_detail(detail)))
    assert _route(world, {"Records": [record]}) == {"batchItemFailures": []}
    batch = [record, record | {"messageId": "second", "body": json.dumps(again)}]
    assert _route(world, {"Records": batch}) == {"batchItemFailures": []}
    assert {event_id for _, event_id, _ in world.queues.deliveries} == {_sample_detail()["id"], "event-2"}
    assert postponed == []


def test_deliver_webhooks_posts_what_relay_and_route_brought(world: World, postponed: list[Any]) -> None:
    event = next(events_in(sample("relay_events"), pytest.fail)).event
    world.happens(event)
    assert _handle(world) == {"batchItemFailures": []}
    assert json.loads(world.posts[0][3]) == _without_routing(_sample_detail())
    assert world.delivery(CONSUMER, event.id).state is DeliveryState.SUCCESS


def test_a_message_that_fails_comes_again_soon(world: World, postponed: list[Any]) -> None:
    world.happens(next(events_in(sample("relay_events"), pytest.fail)).event)
    world.secrets = []
    [record] = sample("deliver_webhooks")["Records"]
    assert _handle(world) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert postponed == [(record["receiptHandle"], 2)]


def test_one_consumer_that_hangs_keeps_no_other_of_the_batch_waiting(world: World, postponed: list[Any]) -> None:
    app, done, release = load("deliver_webhooks"), [], threading.Event()

    class Deliverer:
        def deliver(self, consumer_id: str, event_id: str) -> Delivery | None:
            if event_id == "hangs":
                release.wait(10)
            done.append(event_id)
            return None

    app.deliverer, app.replayer, app.BATCH_SECONDS_MAX = lambda: Deliverer(), lambda: None, 0.3
    records = [_message(f"message-{n}", f"event-{n}") for n in range(9)] + [_message("hanging", "hangs")]
    started = time.monotonic()
    response = app.handler({"Records": records}, Context())
    seconds = time.monotonic() - started
    release.set()
    assert response == {"batchItemFailures": [{"itemIdentifier": "hanging"}]}
    assert sorted(done)[:9] == [f"event-{n}" for n in range(9)]
    assert seconds < 5


def test_the_attempt_is_logged_without_the_url_or_the_body(
    world: World, postponed: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    world.change(CONSUMER, url="https://hooks.example.com/in?key=canary")
    world.happens(next(events_in(sample("relay_events"), pytest.fail)).event)
    world.answers = [BROKEN]
    _handle(world)
    world.advance(minutes=1)
    _handle(world)
    failed, delivered = [vars(record) for record in caplog.records]
    assert (failed["status"], failed["state"], failed["tries"]) == (500, "Attempting", 1)
    assert delivered["event_ids"] == [failed["event_id"]]
    assert "canary" not in repr([failed, delivered])
    assert "Harbour" not in repr([failed, delivered])


def test_a_message_that_names_a_replay_is_a_step_of_it(world: World, postponed: list[Any]) -> None:
    event = next(events_in(sample("relay_events"), pytest.fail)).event
    world.now = event.time
    world.happens(event)
    world.answers = [Answer(status=500)] * 8
    world.work_off()
    world.now += timedelta(seconds=1)
    replay = start(world.ports, world.now, CONSUMER, Selection.FAILED, event.time - timedelta(days=1))
    body = json.dumps({"consumerId": CONSUMER, "replayId": replay.id})
    assert _handle(world, body) == {"batchItemFailures": []}
    assert len(world.posts) == 9


def test_a_message_that_names_neither_comes_again_and_ends_in_the_dead_letters(
    world: World, postponed: list[Any]
) -> None:
    assert len(_handle(world, json.dumps({"consumerId": CONSUMER}))["batchItemFailures"]) == 1


def _handle(world: World, message: str | None = None) -> Any:
    app = load("deliver_webhooks")
    app.deliverer, app.replayer = lambda: world.deliverer, lambda: world.replayer
    event = sample("deliver_webhooks")
    if message is not None:
        event["Records"][0]["body"] = message
    return app.handler(event, Context())


def _message(message_id: str, event_id: str) -> dict[str, Any]:
    record: dict[str, Any] = sample("deliver_webhooks")["Records"][0]
    return record | {"messageId": message_id, "body": json.dumps({"consumerId": CONSUMER, "eventId": event_id})}


def _without_routing(detail: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if name != "feedlane"}


def _route(world: World, event: dict[str, Any]) -> Any:
    app = load("route_events")
    app.ports = lambda: world.ports
    return app.handler(event, Context())


def _sample_detail() -> dict[str, Any]:
    """The event in the sample: the body of its message is what the bus sends on."""
    [record] = sample("route_events")["Records"]
    detail: dict[str, Any] = json.loads(record["body"])["detail"]
    return detail
