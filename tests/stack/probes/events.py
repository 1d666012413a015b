"""Probes of the functions that carry events: relay_events, route_events, deliver_webhooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from boto3.dynamodb.types import TypeSerializer

from feedlane.events.envelope import bus_detail
from feedlane.events.event import Event
from feedlane.events.outbox import put_event
from feedlane.ids import new_id
from feedlane.store import keys
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Delivery
from feedlane.webhooks.replay import Replay
from local.demo.receiver import Receiver
from local.instance import Instance
from tests.stack.probes.calling import Failed
from tests.stack.probes.given import Given, given

# relay_events


def carries_an_event_to_the_bus(instance: Instance) -> None:
    own = given(instance)
    item = put_event(own.event()).item
    image = {name: TypeSerializer().serialize(value) for name, value in item.items() if value is not None}
    place = {"pk": image["pk"], "sk": image["sk"]}
    change = {"Keys": place, "NewImage": image, "SequenceNumber": "1"}
    own.functions.call("relay_events", {"Records": [{"eventName": "INSERT", "dynamodb": change}]})


# route_events


def routes_an_event_twice_to_a_disabled_consumer(instance: Instance) -> None:
    """The deliveries wait, recorded once."""
    own, event = given(instance), given(instance).event()
    with _disabled_consumer(own) as consumer:
        _route(own, event)
        _route(own, event)
        if webhook_items.find_attempt_inputs(own.store, consumer.id, event.id).delivery is None:
            raise Failed("no delivery was recorded")


def routes_an_event_to_a_consumer(instance: Instance) -> None:
    own = given(instance)
    with listening_consumer(own, "probe:yes"):
        _route(own, own.event())


def comes_again_soon_with_an_event_that_cannot_be_read(instance: Instance) -> None:
    given(instance).functions.postpones("route_events", "not JSON")


# deliver_webhooks


def finds_no_delivery(instance: Instance) -> None:
    _deliver(given(instance), new_id(), new_id())


def keeps_a_delivery_for_a_disabled_consumer(instance: Instance) -> None:
    own = given(instance)
    with _disabled_consumer(own) as consumer:
        _deliver(own, consumer.id, _delivery(own, consumer.id).event_id)


def delivers_a_signed_webhook(instance: Instance) -> None:
    own = given(instance)
    with listening_consumer(own, "probe:never") as (consumer_id, receiver):
        delivery = _delivery(own, consumer_id)
        _deliver(own, consumer_id, delivery.event_id)
        if [event["id"] for event in receiver.events] != [delivery.event_id]:
            raise Failed("the webhook did not arrive")


def tries_again_when_a_delivery_is_due(instance: Instance) -> None:
    own = given(instance)
    with listening_consumer(own, "probe:never") as (consumer_id, _):
        delivery = _delivery(own, consumer_id, due=own.now + timedelta(seconds=30))
        _deliver(own, consumer_id, delivery.event_id)


def goes_through_the_deliveries_of_a_replay(instance: Instance) -> None:
    own = given(instance)
    with _disabled_consumer(own) as consumer:
        replay = Replay(
            id=new_id(), consumer_id=consumer.id, since=own.now - timedelta(hours=1), until=own.now, started=own.now
        )
        own.store.commit(webhook_items.put_replay(replay, own.now))
        message = {"consumerId": consumer.id, "replayId": replay.id}
        own.functions.messages("deliver_webhooks", json.dumps(message))
        after = webhook_items.find_replay(own.store, consumer.id, replay.id)
        if after is None or after.is_running:
            raise Failed("the replay did not come to its end")


def comes_again_soon_with_a_message_that_cannot_be_read(instance: Instance) -> None:
    given(instance).functions.postpones("deliver_webhooks", "not JSON")


# public_api, as far as webhooks are concerned


def starts_a_replay(instance: Instance) -> None:
    own = given(instance)
    with listening_consumer(own, "probe:never") as (consumer_id, _):
        since = (own.now - timedelta(hours=1)).isoformat()
        answer = own.api.post(f"/webhooks/{consumer_id}/replays", json={"since": since})
        if answer.status_code != 202:
            raise Failed(f"POST /webhooks/{consumer_id}/replays answers {answer.status_code}: {answer.text}")


def _route(own: Given, event: Event) -> None:
    own.functions.messages("route_events", json.dumps({"source": "feedlane", "detail": json.loads(bus_detail(event))}))


def _deliver(own: Given, consumer_id: str, event_id: str) -> None:
    own.functions.messages("deliver_webhooks", json.dumps({"consumerId": consumer_id, "eventId": event_id}))


def _delivery(own: Given, consumer_id: str, **fields: object) -> Delivery:
    """A delivery that was routed, of an event in the outbox."""
    event = own.event()
    delivery = Delivery.of(event, consumer_id).but(**fields)
    own.store.commit(put_event(event), webhook_items.put_delivery(delivery, own.now))
    return delivery


@contextmanager
def _disabled_consumer(own: Given) -> Iterator[Consumer]:
    consumer = Consumer(
        id=new_id(), url="http://127.0.0.1:9/", company_tags=("probe:yes",), disabled=True, created=own.now
    )
    own.store.commit(webhook_items.add_consumer(consumer))
    try:
        yield consumer
    finally:
        own.store.table.delete_many([keys.consumer(consumer.id)])


@contextmanager
def listening_consumer(own: Given, tag: str) -> Iterator[tuple[str, Receiver]]:
    """It is asked no more once it is deleted."""
    receiver = Receiver()
    made = own.api.post("/webhooks", json={"url": receiver.url, "eventTypes": [], "companyTags": [tag]})
    if made.status_code != 201:
        raise Failed(f"POST /webhooks answers {made.status_code}: {made.text}")
    receiver.secret = made.json()["signingSecret"]
    try:
        yield made.json()["id"], receiver
    finally:
        own.api.delete(f"/webhooks/{made.json()['id']}")
        receiver.close()
