"""SQS in memory behind boto3's methods: groups in order, one batch of a group in flight, deduplication.

A standard queue is kept on several servers, and an answer comes from one of those that have something.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from feedlane.queues import MESSAGE_BYTES_MAX

DEDUPLICATION_SECONDS = 300.0
SERVERS = 3


@dataclass
class Message:
    id: str
    body: str
    group: str
    deduplication_id: str
    sent_at: float
    attributes: dict[str, Any]
    visible_at: float = 0.0
    receipt: str = ""
    receives: int = 0


@dataclass
class Queue:
    messages: list[Message] = field(default_factory=list)
    sent: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)


class FakeSqs:
    """A queue's URL is its name, and its first use creates it. `now` is in seconds; tests change it."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now
        self._queues: dict[str, Queue] = {}
        self._numbers = itertools.count(1)
        self._answers = itertools.count()

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": QueueName}

    def send_message(self, **request: Any) -> dict[str, str]:
        _require_size(request)
        queue, group = self._queue(request), request.get("MessageGroupId", "")
        content = hashlib.sha256(request["MessageBody"].encode()).hexdigest()
        deduplication_id = request.get("MessageDeduplicationId") or content
        until, former_id = queue.sent.get((group, deduplication_id), (0.0, ""))
        if group and self.now < until:
            return {"MessageId": former_id}
        id = f"message-{next(self._numbers)}"
        queue.sent[(group, deduplication_id)] = (self.now + DEDUPLICATION_SECONDS, id)
        attributes = request.get("MessageAttributes", {})
        queue.messages.append(Message(id, request["MessageBody"], group, deduplication_id, self.now, attributes))
        return {"MessageId": id}

    def receive_message(self, **request: Any) -> dict[str, Any]:
        queue = self._queue(request)
        visible = [message for message in queue.messages if message.visible_at <= self.now]
        in_flight = {message.group for message in queue.messages if message.group and message.visible_at > self.now}
        available = self._on_one_server([message for message in visible if message.group not in in_flight])
        received = available[: request["MaxNumberOfMessages"]]
        for message in received:
            message.visible_at = self.now + request["VisibilityTimeout"]
            message.receives += 1
            message.receipt = f"receipt-{next(self._numbers)}"
        return {"Messages": list(map(_response, received))} if received else {}

    def _on_one_server(self, available: list[Message]) -> list[Message]:
        if not available or available[0].group:
            return available
        servers = sorted({_server(message) for message in available})
        chosen = servers[next(self._answers) % len(servers)]
        return [message for message in available if _server(message) == chosen]

    def delete_message(self, **request: Any) -> None:
        queue = self._queue(request)
        queue.messages.remove(_received(queue, request))

    def change_message_visibility(self, **request: Any) -> None:
        _received(self._queue(request), request).visible_at = self.now + request["VisibilityTimeout"]

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        """Fails for each receipt that is no longer the message's last one."""
        assert len(request["Entries"]) <= 10
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in request["Entries"]:
            receipts = {message.receipt for message in self._queue(request).messages}
            if entry["ReceiptHandle"] in receipts:
                self.change_message_visibility(QueueUrl=request["QueueUrl"], **entry)
                answer["Successful"].append({"Id": entry["Id"]})
            else:
                answer["Failed"].append({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "SenderFault": True})
        return answer

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        messages = self._queue(request).messages
        hidden = sum(message.visible_at > self.now for message in messages)
        counts = {
            "ApproximateNumberOfMessages": str(len(messages) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
        }
        return {"Attributes": {name: counts[name] for name in request["AttributeNames"]}}

    def messages(self, url: str) -> list[Message]:
        """For tests: what is in the queue, hidden or not."""
        return list(self._queue({"QueueUrl": url}).messages)

    def _queue(self, request: dict[str, Any]) -> Queue:
        return self._queues.setdefault(request["QueueUrl"], Queue())


def _server(message: Message) -> int:
    return int(message.id.removeprefix("message-")) % SERVERS


def _require_size(request: dict[str, Any]) -> None:
    """SQS counts the attributes' names, types and values with the body."""
    attributes = request.get("MessageAttributes", {})
    texts = [request["MessageBody"], *attributes]
    texts += [text for attribute in attributes.values() for text in attribute.values()]
    if sum(len(text.encode()) for text in texts) > MESSAGE_BYTES_MAX:
        message = f"One or more parameters are invalid. Reason: Message must be shorter than {MESSAGE_BYTES_MAX} bytes."
        raise ClientError({"Error": {"Code": "InvalidParameterValue", "Message": message}}, "SendMessage")


def _received(queue: Queue, request: dict[str, Any]) -> Message:
    [message] = [message for message in queue.messages if message.receipt == request["ReceiptHandle"]]
    return message


def _response(message: Message) -> dict[str, Any]:
    attributes = {"SentTimestamp": str(int(message.sent_at * 1000))}
    attributes["ApproximateReceiveCount"] = str(message.receives)
    if message.group:
        attributes |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.deduplication_id}
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "Attributes": attributes,
        "MessageAttributes": message.attributes,
    }
