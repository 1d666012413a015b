"""Signs and posts webhooks, several at once, so that a slow consumer does not delay the others."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from feedlane.aws import batch, metrics
from feedlane.aws import queues as sqs
from feedlane.aws.metrics import Metric
from feedlane.clock import system_clock
from feedlane.environment import Environment, environment, require
from feedlane.webhooks.deliverer import Deliverer
from feedlane.webhooks.delivery import DeliveryState
from feedlane.webhooks.replayer import Replayer
from feedlane.wiring.webhooks import deliverer, replayer

# An attempt takes at most 15 seconds; one that takes longer is stuck.
BATCH_SECONDS_MAX = 25.0
MARGIN_SECONDS = 5.0

require(
    Environment.table_name,
    Environment.public_url,
    Environment.vault_arn,
    Environment.deliveries_queue_url,
    Environment.webhook_targets,
    Environment.metrics_namespace,
)

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    metrics.record_lateness(batch.lateness(event, system_clock()))
    seconds = min(BATCH_SECONDS_MAX, context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS)
    arrived: list[str] = []
    handle = partial(_process, deliverer(), replayer(), arrived)
    answer = batch.concurrently(event, handle, _postpone, logger, seconds)
    if arrived:
        logger.info("webhooks delivered", extra={"event_ids": arrived})
    return answer


def _process(deliverer: Deliverer, replayer: Replayer, arrived: list[str], record: batch.SqsRecord) -> None:
    """Adds to `arrived` the event that a consumer has accepted. Every other attempt gets a line of its own."""
    match json.loads(record.body):
        case {"consumerId": consumer_id, "replayId": replay_id}:
            if replay := replayer.run_step(consumer_id, replay_id):
                logger.info("replay step done", extra=replay.log_facts())
        case {"consumerId": consumer_id, "eventId": event_id}:
            delivery = deliverer.deliver(consumer_id, event_id)
            if delivery is not None and delivery.state is DeliveryState.FAILURE:
                metrics.count(Metric.DELIVERIES_FAILED)
            if delivery is not None and delivery.state is DeliveryState.SUCCESS:
                arrived.append(event_id)
            elif delivery is not None and delivery.attempts:
                logger.info("webhook attempted", extra=delivery.log_facts())
        case _:
            raise ValueError("the message names neither a delivery nor a replay")


def _postpone(record: batch.SqsRecord, seconds: int) -> None:
    sqs.postpone(environment().deliveries_queue_url, record.receipt, seconds)
