"""Turns events from the bus into deliveries, one for each consumer subscribed to them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from feedlane.aws import batch
from feedlane.aws import queues as sqs
from feedlane.aws.ports import ports
from feedlane.clock import system_clock
from feedlane.environment import Environment, environment, require
from feedlane.events.envelope import event_from_detail
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.router import route

require(
    Environment.table_name,
    Environment.public_url,
    Environment.events_queue_url,
    Environment.deliveries_queue_url,
)

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Reads the consumers once per batch: all events of the batch are older than that."""
    routed: dict[str, int] = {}
    process = partial(_route, webhook_items.consumers(ports().store), routed)
    answer = batch.one_by_one(event, process, _postpone, logger, context.get_remaining_time_in_millis)
    if routed:
        logger.info("events routed", extra={"deliveries": routed})
    return answer


def _route(consumers: list[Consumer], routed: dict[str, int], record: batch.SqsRecord) -> None:
    """Adds to `routed` how many deliveries the event became."""
    event = event_from_detail(json.loads(record.body)["detail"])
    routed[event.id] = len(route(ports(), event, system_clock(), consumers))


def _postpone(record: batch.SqsRecord, seconds: int) -> None:
    sqs.postpone(environment().events_queue_url, record.receipt, seconds)
