"""Turns events from the bus into deliveries, one for each consumer subscribed to them."""

from __future__ import annotations

import json
from functools import lru_cache, partial
from typing import Any

from aws_lambda_powertools import Logger

from feedlane import aws, batch
from feedlane.clock import system_clock
from feedlane.consumer import Consumer
from feedlane.envelope import event_in
from feedlane.environment import Environment, environment, require
from feedlane.queues import Queues
from feedlane.routing import route
from feedlane.store.store import Store

require(
    Environment.table_name,
    Environment.events_queue_url,
    Environment.deliveries_queue_url,
)

logger = Logger()


@lru_cache(maxsize=1)
def store() -> Store:
    return aws.store()


@lru_cache(maxsize=1)
def queues() -> Queues:
    return aws.queues()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Reads the consumers once per batch: all its events are older than that."""
    work = partial(_route, store().consumers())
    return batch.one_by_one(event, work, _postpone, logger, context.get_remaining_time_in_millis)


def _route(consumers: list[Consumer], record: batch.Record) -> None:
    event = event_in(json.loads(record.body)["detail"])
    deliveries = route(store(), queues(), event, system_clock(), consumers)
    facts = {"event_id": event.id, "event_type": event.type, "deliveries": len(deliveries)}
    logger.info("event routed", extra=facts)


def _postpone(record: batch.Record, seconds: int) -> None:
    aws.postpone(environment().events_queue_url, record.receipt, seconds)
