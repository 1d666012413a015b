"""Handles follow-up messages, above all by following statements and feed connections at Xero to their end."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from feedlane.aws import batch
from feedlane.aws import queues as sqs
from feedlane.environment import Environment, environment, require
from feedlane.follow_ups import parse_follow_up
from feedlane.wiring import functions as wiring

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.codat_api_url,
    Environment.vault_arn,
    Environment.transactions_queue_url,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
    Environment.metrics_namespace,
)

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    time_left = context.get_remaining_time_in_millis
    return batch.one_by_one(event, _check, _postpone, logger, time_left, batch.HANGS_AFTER_SECONDS)


def _check(record: batch.SqsRecord) -> None:
    wiring.checks().dispatch(parse_follow_up(record.body))


def _postpone(record: batch.SqsRecord, seconds: int) -> None:
    sqs.postpone(environment().checks_queue_url, record.receipt, seconds)
