"""SQS in memory, as boto3's client shows it: groups in order, one batch of a group in flight, deduplication."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Any

DEDUPLICATES_FOR = 300.0


@dataclass
class Message:
    id: str
    body: str
    group: str
    deduplication: str
    sent: float
    attributes: dict[str, Any]
    visible: float = 0.0
    receipt: str = ""


@dataclass
class Queue:
    messages: list[Message] = field(default_factory=list)
    sent_before: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)


class FakeSqs:
    """A queue's URL is its name, and it exists as soon as it is named. `now` is in seconds; a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._queues: dict[str, Queue] = {}
        self._numbers = itertools.count(1)

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": QueueName}

    def send_message(self, **asked: Any) -> dict[str, str]:
        queue, group = self._queue(asked), asked.get("MessageGroupId", "")
        content = hashlib.sha256(asked["MessageBody"].encode()).hexdigest()
        deduplication = asked.get("MessageDeduplicationId") or content
        until, before = queue.sent_before.get((group, deduplication), (0.0, ""))
        if group and self.now < until:
            return {"MessageId": before}
        id = f"message-{next(self._numbers)}"
        queue.sent_before[(group, deduplication)] = (self.now + DEDUPLICATES_FOR, id)
        told = asked.get("MessageAttributes", {})
        queue.messages.append(Message(id, asked["MessageBody"], group, deduplication, self.now, told))
        return {"MessageId": id}

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        queue = self._queue(asked)
        in_flight = {message.group for message in queue.messages if message.group and message.visible > self.now}
        free = [one for one in queue.messages if one.visible <= self.now and one.group not in in_flight]
        taken = free[: asked["MaxNumberOfMessages"]]
        for message in taken:
            message.visible = self.now + asked["VisibilityTimeout"]
            message.receipt = f"receipt-{next(self._numbers)}"
        return {"Messages": list(map(_shown, taken))} if taken else {}

    def delete_message(self, **asked: Any) -> None:
        queue = self._queue(asked)
        queue.messages.remove(_received(queue, asked))

    def change_message_visibility(self, **asked: Any) -> None:
        _received(self._queue(asked), asked).visible = self.now + asked["VisibilityTimeout"]

    def get_queue_attributes(self, **asked: Any) -> dict[str, Any]:
        messages = self._queue(asked).messages
        hidden = sum(message.visible > self.now for message in messages)
        counts = {
            "ApproximateNumberOfMessages": str(len(messages) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
        }
        return {"Attributes": {name: counts[name] for name in asked["AttributeNames"]}}

    def _queue(self, asked: dict[str, Any]) -> Queue:
        return self._queues.setdefault(asked["QueueUrl"], Queue())


def _received(queue: Queue, asked: dict[str, Any]) -> Message:
    [received] = [message for message in queue.messages if message.receipt == asked["ReceiptHandle"]]
    return received


def _shown(message: Message) -> dict[str, Any]:
    attributes = {"SentTimestamp": str(int(message.sent * 1000))}
    if message.group:
        attributes |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.deduplication}
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "Attributes": attributes,
        "MessageAttributes": message.attributes,
    }
