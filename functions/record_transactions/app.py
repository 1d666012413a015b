"""Records pushes from `transactions.fifo` as ledger lines."""

from __future__ import annotations

from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from feedlane.aws import batch
from feedlane.aws import queues as sqs
from feedlane.aws.ports import ports
from feedlane.environment import Environment, environment, require
from feedlane.pushes.message import BATCH_SIZE_MAX, QueueMessage
from feedlane.pushes.recording import record

require(
    Environment.table_name,
    Environment.public_url,
    Environment.transactions_queue_url,
    Environment.transactions_dlq_url,
    Environment.statements_queue_url,
)

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    # A full batch: more messages of its groups may be waiting.
    more_to_come = len(event["Records"]) >= BATCH_SIZE_MAX
    recorded: dict[str, int] = {}
    handle = partial(_record, more_to_come, recorded)
    answer = batch.by_group(event, handle, _postpone, logger, context.get_remaining_time_in_millis)
    if recorded:
        logger.info("messages recorded", extra={"groups": recorded})
    return answer


def _record(more_to_come: bool, recorded: dict[str, int], records: list[batch.SqsRecord]) -> None:
    """Adds to `recorded` how many messages of the group there were."""
    messages = [QueueMessage(message.id, message.group, message.body, message.sent_at) for message in records]
    record(ports(), messages, more_to_come)
    recorded[records[0].group] = len(records)


def _postpone(record: batch.SqsRecord, seconds: int) -> None:
    sqs.postpone(environment().transactions_queue_url, record.receipt, seconds)
