"""Sends the waiting lines of each woken feed as one statement."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools import Logger

from feedlane.aws import batch
from feedlane.aws import queues as sqs
from feedlane.environment import Environment, environment, require
from feedlane.wiring import functions as wiring

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.codat_api_url,
    Environment.vault_arn,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
    Environment.metrics_namespace,
)

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    time_left = context.get_remaining_time_in_millis
    return batch.by_group(event, _send, _postpone, logger, time_left, batch.HANGS_AFTER_SECONDS)


def _send(records: list[batch.SqsRecord]) -> None:
    """Handles each feed once, however many messages woke it."""
    for feed_id in dict.fromkeys(json.loads(record.body)["feedId"] for record in records):
        wiring.sender().send(feed_id)


def _postpone(record: batch.SqsRecord, seconds: int) -> None:
    sqs.postpone(environment().statements_queue_url, record.receipt, seconds)
