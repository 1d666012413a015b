"""Webhooks are signed and posted, several at once, so that a slow consumer keeps nobody else waiting."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from feedlane import aws, batch, measures
from feedlane.clock import system_clock
from feedlane.delivering import Deliverer
from feedlane.delivery import DeliveryState
from feedlane.environment import Environment, environment, require
from feedlane.measures import Measure
from feedlane.replaying import Replayer
from feedlane.webhook_wiring import deliverer, replayer

# An attempt takes fifteen seconds at most; what is not done by then has met something that hangs.
LONGEST_SECONDS = 25.0
MARGIN_SECONDS = 5.0

require(
    Environment.table_name,
    Environment.vault_function_name,
    Environment.deliveries_queue_url,
    Environment.webhook_targets,
    Environment.metrics_namespace,
)

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    measures.last(Measure.DELIVERIES_LATE, batch.lateness(event, system_clock()))
    seconds = min(LONGEST_SECONDS, context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS)
    return batch.at_once(event, partial(_work, deliverer(), replayer()), postpone, logger, seconds)


def _work(deliverer: Deliverer, replayer: Replayer, record: batch.Record) -> None:
    match json.loads(record.body):
        case {"consumerId": consumer_id, "replayId": replay_id}:
            if replay := replayer.work(consumer_id, replay_id):
                facts = replay.model_dump(mode="json", include={"consumer_id", "state", "succeeded", "failed"})
                logger.info("replay went on", extra=facts | {"replay_id": replay_id})
        case {"consumerId": consumer_id, "eventId": event_id}:
            done = deliverer.deliver(consumer_id, event_id)
            if done is not None and done.state is DeliveryState.FAILURE:
                measures.count(Measure.DELIVERIES_FAILED)
            if done is not None and done.attempts:
                facts = done.attempts[-1].model_dump(include={"status", "error", "duration_ms"})
                facts |= done.model_dump(include={"consumer_id", "event_id", "event_type", "state", "tries"})
                logger.info("webhook attempted", extra=facts)
        case _:
            raise ValueError("a message names a delivery or a replay")


def postpone(record: batch.Record, seconds: int) -> None:
    aws.postpone(environment().deliveries_queue_url, record.receipt, seconds)
