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
from feedlane.events.event import Event
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.router import route, route_all

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
    consumers = webhook_items.consumers(ports().store)
    route_together, route_one = partial(_route_all, consumers, routed), partial(_route, consumers, routed)
    time_left = context.get_remaining_time_in_millis
    answer = batch.together(event, route_together, route_one, _postpone, logger, time_left)
    if routed:
        logger.info("events routed", extra={"deliveries": routed})
    return answer


def _route_all(consumers: list[Consumer], routed: dict[str, int], records: list[batch.SqsRecord]) -> None:
    routed |= route_all(ports(), [_event_in(record) for record in records], system_clock(), consumers)


def _route(consumers: list[Consumer], routed: dict[str, int], record: batch.SqsRecord) -> None:
    """Adds to `routed` how many deliveries the event became."""
    event = _event_in(record)
    routed[event.id] = len(route(ports(), event, system_clock(), consumers))


def _event_in(record: batch.SqsRecord) -> Event:
    return event_from_detail(json.loads(record.body)["detail"])


def _postpone(record: batch.SqsRecord, seconds: int) -> None:
    sqs.postpone(environment().events_queue_url, record.receipt, seconds)
