"""An event from the bus becomes a delivery to each consumer that wants it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from feedlane import aws
from feedlane.clock import system_clock
from feedlane.envelope import event_in
from feedlane.queues import Queues
from feedlane.routing import route
from feedlane.store.store import Store

logger = Logger()


@lru_cache(maxsize=1)
def store() -> Store:
    return aws.store()


@lru_cache(maxsize=1)
def queues() -> Queues:
    return aws.queues()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    told = event_in(event["detail"])
    made = route(store(), queues(), told, system_clock())
    facts = {"event_id": told.id, "event_type": told.type, "deliveries": len(made)}
    logger.info("event routed", extra=facts)
