"""Webhook consumers: Codat's three routes, and Feedlane's extensions."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.answers import created, no_content, ok
from api.parts import current_parts
from api.requests import Routes
from feedlane.codat.bodies import ConsumerBody, ConsumerChanges, parse_body
from feedlane.webhooks import consumers
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.shapes import consumer_json, delivery_json, replay_json

CONSUMER = "/webhooks/<webhook_id>"

router = Routes()


@router.post("/webhooks")
def create_consumer() -> Response[str]:
    body = parse_body(ConsumerBody, router.body)
    parts = current_parts()
    types, tags = body.event_types or [], body.company_tags or []
    consumer, secret = consumers.create(
        parts.ports,
        parts.vault,
        parts.webhook_targets,
        parts.clock(),
        body.url,
        types,
        tags,
        body.disabled,
        body.headers,
    )
    return created(consumer_json(consumer, secret))


@router.get("/webhooks")
def list_consumers() -> Response[str]:
    return ok({"results": [consumer_json(consumer) for consumer in webhook_items.consumers(current_parts().store)]})


@router.get(CONSUMER)
def get_consumer(webhook_id: str) -> Response[str]:
    return ok(consumer_json(webhook_items.consumer(current_parts().store, webhook_id)))


@router.patch(CONSUMER)
def change_consumer(webhook_id: str) -> Response[str]:
    """Changes only the fields in the body. Headers are replaced as a whole."""
    body = parse_body(ConsumerChanges, router.body)
    parts = current_parts()
    consumer = consumers.change(
        parts.store,
        parts.vault,
        parts.webhook_targets,
        webhook_id,
        body.url,
        body.event_types,
        body.company_tags,
        body.headers,
    )
    return ok(consumer_json(consumer))


@router.delete(CONSUMER)
def delete_consumer(webhook_id: str) -> Response[str]:
    parts = current_parts()
    consumers.delete(parts.store, parts.vault, webhook_id)
    return no_content()


@router.post(f"{CONSUMER}/disable")
def disable_consumer(webhook_id: str) -> Response[str]:
    return ok(consumer_json(consumers.disable(current_parts().store, webhook_id)))


@router.post(f"{CONSUMER}/enable")
def enable_consumer(webhook_id: str) -> Response[str]:
    """`replay` in the answer is the replay that sends the waiting events."""
    parts = current_parts()
    consumer, replay = consumers.enable(parts.ports, parts.clock(), webhook_id)
    return ok(consumer_json(consumer) | {"replay": replay_json(replay)})


@router.post(f"{CONSUMER}/secret/rotate")
def rotate_secret(webhook_id: str) -> Response[str]:
    parts = current_parts()
    consumer, secret = consumers.rotate_secret(parts.store, parts.vault, parts.clock(), webhook_id)
    return ok(consumer_json(consumer, secret))


@router.post(f"{CONSUMER}/test")
def send_test(webhook_id: str) -> Response[str]:
    """202 with the delivery. Its outcome is read by its `id`."""
    parts = current_parts()
    return ok(delivery_json(consumers.send_test(parts.ports, parts.clock(), webhook_id)), 202)
