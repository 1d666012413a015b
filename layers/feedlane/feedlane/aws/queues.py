"""The queues on SQS."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from functools import lru_cache

from feedlane.aws import clients
from feedlane.clock import iso, system_clock
from feedlane.environment import environment
from feedlane.follow_ups import FollowUp
from feedlane.queues import DELAY_SECONDS_MAX, MESSAGE_BYTES_MAX, with_reason


class SQSQueues:
    """Implements `Queues`; each URL comes from the environment."""

    def push(self, group: str, deduplication_id: str, body: str) -> None:
        self._send_fifo(environment().transactions_queue_url, group, deduplication_id, body)

    def wake(self, feed_id: str) -> None:
        body = json.dumps({"feedId": feed_id})
        self._send_fifo(environment().statements_queue_url, feed_id, str(uuid.uuid4()), body)

    def follow_up(self, follow_up: FollowUp, delay_seconds: int) -> None:
        self._send_delayed(environment().checks_queue_url, follow_up.model_dump_json(), delay_seconds)

    def deliver(self, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        due = system_clock() + timedelta(seconds=delay_seconds)
        body = json.dumps({"consumerId": consumer_id, "eventId": event_id, "due": iso(due)})
        self._send_delayed(environment().deliveries_queue_url, body, delay_seconds)

    def replay(self, consumer_id: str, replay_id: str, delay_seconds: int) -> None:
        body = json.dumps({"consumerId": consumer_id, "replayId": replay_id})
        self._send_delayed(environment().deliveries_queue_url, body, delay_seconds)

    def dead_letter(self, group: str, deduplication_id: str, body: str, reason: str) -> None:
        """A body for which SQS has no room left beside an attribute keeps its reason in the deduplication id.

        That id is no part of the message's size, so nothing of the body has to be cut.
        """
        attributes = {"reason": {"DataType": "String", "StringValue": reason[:1000]}}
        if len(body.encode()) + _attributes_bytes(attributes) > MESSAGE_BYTES_MAX:
            attributes, deduplication_id = {}, with_reason(deduplication_id, reason)
        clients.client("sqs").send_message(
            QueueUrl=environment().transactions_dlq_url,
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=deduplication_id,
            MessageAttributes=attributes,
        )

    @staticmethod
    def _send_fifo(url: str, group: str, deduplication_id: str, body: str) -> None:
        clients.client("sqs").send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=deduplication_id
        )

    @staticmethod
    def _send_delayed(url: str, body: str, delay_seconds: int) -> None:
        delay = min(max(delay_seconds, 0), DELAY_SECONDS_MAX)
        clients.client("sqs").send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay)


@lru_cache(maxsize=1)
def queues() -> SQSQueues:
    return SQSQueues()


def postpone(queue_url: str, receipt: str, seconds: int) -> None:
    """Makes a received message visible again after `seconds`, instead of after the queue's visibility timeout."""
    clients.client("sqs").change_message_visibility(
        QueueUrl=queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
    )


def _attributes_bytes(attributes: dict[str, dict[str, str]]) -> int:
    """What they add to the size of a message: names, types and values."""
    return sum(
        len(name.encode()) + len(attribute["DataType"]) + len(attribute["StringValue"].encode())
        for name, attribute in attributes.items()
    )
