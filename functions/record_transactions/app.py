"""Records pushes from `transactions.fifo` as ledger lines."""

from __future__ import annotations

from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from feedlane import aws, batch
from feedlane.clock import system_clock
from feedlane.environment import Environment, environment, require
from feedlane.ids import new_id
from feedlane.queue_message import FULL_BATCH, QueueMessage
from feedlane.recording import record

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
    more_to_come = len(event["Records"]) >= FULL_BATCH
    return batch.by_group(
        event, partial(_record, more_to_come), _postpone, logger, context.get_remaining_time_in_millis
    )


def _record(more_to_come: bool, records: list[batch.Record]) -> None:
    messages = [QueueMessage(message.id, message.group, message.body, message.sent_at) for message in records]
    record(aws.store(), aws.queues(), system_clock, new_id, messages, more_to_come)
    logger.info("messages recorded", extra={"group": records[0].group, "messages": len(records)})


def _postpone(record: batch.Record, seconds: int) -> None:
    aws.postpone(environment().transactions_queue_url, record.receipt, seconds)
