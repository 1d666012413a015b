"""Follows statements and feed connections at Xero until they are done."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from feedlane import aws, batch, wiring
from feedlane.environment import Environment, environment, require
from feedlane.follow_ups import follow_up_in

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.vault_function_name,
    Environment.transactions_queue_url,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
    Environment.metrics_namespace,
)

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return batch.one_by_one(event, _check, _postpone, logger, context.get_remaining_time_in_millis)


def _check(record: batch.Record) -> None:
    wiring.checks().dispatch(follow_up_in(record.body))


def _postpone(record: batch.Record, seconds: int) -> None:
    aws.postpone(environment().checks_queue_url, record.receipt, seconds)
