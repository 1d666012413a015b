"""A feed that was woken sends what it has waiting, as one statement."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools import Logger

from feedlane.aws import batch
from feedlane.aws import queues as sqs
from feedlane.environment import environment
from feedlane.wiring import functions as wiring

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return batch.by_group(event, _send, _postpone, logger, context.get_remaining_time_in_millis)


def _send(records: list[batch.SqsRecord]) -> None:
    """However often a feed was rung for, it is looked at once."""
    for feed_id in dict.fromkeys(json.loads(record.body)["feedId"] for record in records):
        wiring.sender().send(feed_id)


def _postpone(record: batch.SqsRecord, seconds: int) -> None:
    sqs.postpone(environment().statements_queue_url, record.receipt, seconds)
