"""Webhook consumers: Codat's three routes, and Feedlane's own."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import created, nothing, ok
from api.requests import Routes
from feedlane.codat.bodies import ConsumerBody, ConsumerChanges, parse_body
from feedlane.webhooks import consumers
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.shapes import consumer_json, delivery_json, replay_json

ONE = "/webhooks/<webhook_id>"

router = Routes()


@router.post("/webhooks")
def create_consumer() -> Response[str]:
    given, own = parse_body(ConsumerBody, router.body), parts.current
    types, tags = given.event_types or [], given.company_tags or []
    consumer, secret = consumers.create(
        own.ports, own.vault, own.webhook_targets, own.clock(), given.url, types, tags, given.disabled, given.headers
    )
    return created(consumer_json(consumer, secret))


@router.get("/webhooks")
def list_consumers() -> Response[str]:
    return ok({"results": [consumer_json(consumer) for consumer in webhook_items.consumers(parts.current.store)]})


@router.get(ONE)
def get_consumer(webhook_id: str) -> Response[str]:
    return ok(consumer_json(webhook_items.consumer(parts.current.store, webhook_id)))


@router.patch(ONE)
def change_consumer(webhook_id: str) -> Response[str]:
    """Changes what is given, and leaves the rest; headers change all together."""
    given, own = parse_body(ConsumerChanges, router.body), parts.current
    consumer = consumers.change(
        own.store,
        own.vault,
        own.webhook_targets,
        webhook_id,
        given.url,
        given.event_types,
        given.company_tags,
        given.headers,
    )
    return ok(consumer_json(consumer))


@router.delete(ONE)
def delete_consumer(webhook_id: str) -> Response[str]:
    consumers.delete(parts.current.store, parts.current.vault, webhook_id)
    return nothing()


@router.post(f"{ONE}/disable")
def disable_consumer(webhook_id: str) -> Response[str]:
    return ok(consumer_json(consumers.disable(parts.current.store, webhook_id)))


@router.post(f"{ONE}/enable")
def enable_consumer(webhook_id: str) -> Response[str]:
    """`replay` is what sends the events that waited."""
    own = parts.current
    consumer, replay = consumers.enable(own.ports, own.clock(), webhook_id)
    return ok(consumer_json(consumer) | {"replay": replay_json(replay)})


@router.post(f"{ONE}/secret/rotate")
def rotate_secret(webhook_id: str) -> Response[str]:
    own = parts.current
    consumer, secret = consumers.rotate_secret(own.store, own.vault, own.clock(), webhook_id)
    return ok(consumer_json(consumer, secret))


@router.post(f"{ONE}/test")
def send_test(webhook_id: str) -> Response[str]:
    """202: the delivery, whose `id` tells how it ended."""
    own = parts.current
    return ok(delivery_json(consumers.send_test(own.ports, own.clock(), webhook_id)), 202)
