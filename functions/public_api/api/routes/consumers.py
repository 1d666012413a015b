"""Webhook consumers: Codat's three routes, and Feedlane's extensions."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import created, no_content, ok
from api.requests import Routes
from feedlane import consumers
from feedlane.codat.bodies import ConsumerBody, ConsumerChanges, parsed
from feedlane.codat.deliveries import delivery_json, replay_json
from feedlane.codat.integration import consumer_json

CONSUMER = "/webhooks/<webhook_id>"

router = Routes()


@router.post("/webhooks")
def create_consumer() -> Response[str]:
    body, current = parsed(ConsumerBody, router.body), parts.current
    types, tags = body.event_types or [], body.company_tags or []
    consumer, secret = consumers.create(
        current.store, current.vault, current.clock(), current.new_id, body.url, types, tags, body.disabled, body.headers
    )
    return created(consumer_json(consumer, secret))


@router.get("/webhooks")
def list_consumers() -> Response[str]:
    return ok({"results": [consumer_json(consumer) for consumer in parts.current.store.consumers()]})


@router.get(CONSUMER)
def get_consumer(webhook_id: str) -> Response[str]:
    return ok(consumer_json(parts.current.store.consumer(webhook_id)))


@router.patch(CONSUMER)
def change_consumer(webhook_id: str) -> Response[str]:
    """Changes only the fields in the body. Headers are replaced as a whole."""
    body, current = parsed(ConsumerChanges, router.body), parts.current
    consumer = consumers.change(
        current.store, current.vault, webhook_id, body.url, body.event_types, body.company_tags, body.headers
    )
    return ok(consumer_json(consumer))


@router.delete(CONSUMER)
def delete_consumer(webhook_id: str) -> Response[str]:
    consumers.delete(parts.current.store, parts.current.vault, webhook_id)
    return no_content()


@router.post(f"{CONSUMER}/disable")
def disable_consumer(webhook_id: str) -> Response[str]:
    return ok(consumer_json(consumers.disable(parts.current.store, webhook_id)))


@router.post(f"{CONSUMER}/enable")
def enable_consumer(webhook_id: str) -> Response[str]:
    """`replay` in the answer is the replay that sends the waiting events."""
    current = parts.current
    consumer, replay = consumers.enable(current.store, current.queues, current.clock(), webhook_id)
    return ok(consumer_json(consumer) | {"replay": replay_json(replay)})


@router.post(f"{CONSUMER}/secret/rotate")
def rotate_secret(webhook_id: str) -> Response[str]:
    current = parts.current
    consumer, secret = consumers.rotate_secret(current.store, current.vault, current.clock(), webhook_id)
    return ok(consumer_json(consumer, secret))


@router.post(f"{CONSUMER}/test")
def send_test(webhook_id: str) -> Response[str]:
    """202 with the delivery. Get it by its `id` to learn the outcome."""
    current = parts.current
    return ok(
        delivery_json(consumers.send_test(current.store, current.queues, current.clock(), current.new_id, webhook_id)), 202
    )
