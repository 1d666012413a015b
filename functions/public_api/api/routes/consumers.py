"""Webhook consumers."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import created, nothing, ok
from api.requests import Routes
from feedlane import consumers
from feedlane.codat.bodies import ConsumerBody, parsed
from feedlane.codat.integration import consumer_json

router = Routes()


@router.post("/webhooks")
def create_consumer() -> Response[str]:
    given, own = parsed(ConsumerBody, router.body), parts.current
    types, tags = given.event_types or [], given.company_tags or []
    consumer, secret = consumers.create(
        own.store, own.vault, own.clock(), own.new_id, given.url, types, tags, given.disabled
    )
    return created(consumer_json(consumer, secret))


@router.get("/webhooks")
def list_consumers() -> Response[str]:
    return ok({"results": [consumer_json(consumer) for consumer in parts.current.store.consumers()]})


@router.delete("/webhooks/<webhook_id>")
def delete_consumer(webhook_id: str) -> Response[str]:
    consumers.delete(parts.current.store, parts.current.vault, webhook_id)
    return nothing()
