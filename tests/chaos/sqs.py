"""A stand-in for SQS: order per group, one batch of a group in flight, visibility, delay, dead letters."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests import chains, rights
from tests.chains import NEW, Lineage
from tests.chaos.faults import Faults
from tests.chaos.outages import SQS
from tests.chaos.table import Unreachable
from tests.chaos.timeline import START, Timeline
from tests.stack.template import queue_settings

DEDUPLICATION_SECONDS = 300.0
SEND_SECONDS = 0.01
# So many receives of a message are played one by one, even during an outage.
RECEIVES_PLAYED = 12
# The template's queue of each name that the worlds use.
IN_TEMPLATE = {
    "transactions.fifo": "TransactionsQueue",
    "transactions-dead.fifo": "TransactionsDeadLetters",
    "statements.fifo": "StatementsQueue",
    "checks": "StatementChecksQueue",
    "events": "EventsQueue",
    "deliveries": "WebhookDeliveriesQueue",
}


@dataclass(eq=False)
class Message:
    id: str
    body: str
    group: str
    sent: float
    visible: float
    attributes: dict[str, Any] = field(default_factory=dict)
    receives: int = 0
    lineage: Lineage = field(default_factory=lambda: NEW)
    receipt: str = ""
    gone: bool = False

    def record(self) -> dict[str, Any]:
        """The record that Lambda passes to a function."""
        attributes = {
            "ApproximateReceiveCount": str(self.receives),
            "SentTimestamp": str(int((START.timestamp() + self.sent) * 1000)),
        }
        if self.group:
            attributes["MessageGroupId"] = self.group
        return {"messageId": self.id, "receiptHandle": self.receipt, "body": self.body, "attributes": attributes}


class Queue:
    """`on_message` is called with the time at which a message may become visible."""

    def __init__(self, name: str, timeline: Timeline, rng: random.Random) -> None:
        self.name = name
        self.settings = queue_settings(IN_TEMPLATE[name])
        self.is_fifo = name.endswith(".fifo")
        self.dead: list[Message] = []
        self.ever: list[Message] = []
        self.stopped: list[Message] = []
        """The messages at which Lambda stopped a chain."""
        self.exhausted: list[Message] = []
        """The messages that became dead letters because they had been received too often."""
        self.expired: list[Message] = []
        """The messages that were older than the queue keeps them, and are gone."""
        self.on_message: Callable[[float], None] = lambda when: None
        self._groups: dict[str, dict[Message, None]] = {}
        self._in_flight: dict[str, list[Message]] = {}
        self._received: dict[str, Message] = {}
        self._timeline = timeline
        self._rng = rng
        self._numbers = itertools.count(1)
        self._known: dict[tuple[str, str], float] = {}

    @property
    def messages(self) -> list[Message]:
        return [message for group in self._groups.values() for message in group]

    def send(
        self, body: str, group: str = "", deduplication: str | None = None, delay: float = 0.0, **more: Any
    ) -> str:
        """Returns the message's id, or an empty string for a duplicate within five minutes."""
        now = self._timeline.seconds
        if self.is_fifo:
            key = (group, deduplication or hashlib.sha256(body.encode()).hexdigest())
            if now < self._known.get(key, -1.0):
                return ""
            self._known[key] = now + DEDUPLICATION_SECONDS
        message = Message(f"{self.name}-{next(self._numbers)}", body, group, now, now + delay, more)
        message.lineage = self._timeline.lineage
        self.ever.append(message)
        self.put(message)
        return message.id

    def put(self, message: Message) -> None:
        self._groups.setdefault(message.group, {})[message] = None
        self.on_message(message.visible)

    def receive(self, maximum: int) -> list[Message]:
        """Up to `maximum` visible messages; in a FIFO queue none of a group that has one in flight."""
        batch: list[Message] = []
        for group, listed in list(self._groups.items()):
            if self.is_fifo and self._is_blocked(group):
                continue
            for message in list(listed) if self.is_fifo else self._rng.sample(list(listed), len(listed)):
                if len(batch) == maximum:
                    break
                if message.visible > self._timeline.seconds or self._expires(message):
                    continue
                message.receives += 1
                if self.settings.receives_max and message.receives > self.settings.receives_max:
                    self.exhausted.append(message)
                    self.bury(message)
                    continue
                message.receipt = f"{message.id}/{message.receives}"
                batch.append(message)
        for message in batch:
            self._received[message.receipt] = message
            if self.is_fifo:
                self._in_flight.setdefault(message.group, []).append(message)
            self.hide(message, self.settings.visibility_seconds)
        return batch

    def _expires(self, message: Message) -> bool:
        """A message older than the retention period is gone. Its age counts from when it was first sent."""
        if self._timeline.seconds - message.sent <= self.settings.retention_seconds:
            return False
        self.expired.append(message)
        self._remove(message)
        return True

    def receive_for(self, function: str, maximum: int) -> list[Message]:
        """The next batch that the function gets. A message at which Lambda stops a chain becomes a dead letter."""
        while batch := self.receive(maximum):
            stopped = [message for message in batch if chains.is_stopped(function, message.lineage)]
            self.stopped += stopped
            for message in stopped:
                self.bury(message)
            if remaining := [message for message in batch if message not in stopped]:
                return remaining
        return []

    def hide(self, message: Message, seconds: float) -> None:
        message.visible = self._timeline.seconds + seconds
        self.on_message(message.visible)

    def pass_time(self, failed: list[Message], until: float) -> None:
        """Passes over the receives of messages that cannot succeed before `until`, all alike, in one step.

        They are counted at the pace at which the function has had the last one repeated.
        """
        now = self._timeline.seconds
        for message in failed:
            pause = message.visible - now
            steps = int((until - now) / pause) if message.receives >= RECEIVES_PLAYED and pause > 0 else 0
            if steps > 0 and not message.gone:
                message.receives += steps
                self.hide(message, pause * (steps + 1))

    def hide_received(self, receipt: str, seconds: float) -> None:
        message = self._received.get(receipt)
        if message is not None and message.receipt == receipt:
            self.hide(message, seconds)

    def delete(self, message: Message, receipt: str) -> None:
        """A FIFO queue accepts only the latest receipt."""
        if message in self._groups.get(message.group, ()) and (message.receipt == receipt or not self.is_fifo):
            self._remove(message)
            message.gone = True
            self.on_message(self._timeline.seconds)

    def bury(self, message: Message) -> None:
        """Moves the message to the dead-letter queue."""
        if message in self._groups.get(message.group, ()):
            self._remove(message)
            self.dead.append(message)
            message.visible = self._timeline.seconds
            self.on_message(self._timeline.seconds)

    def redrive(self) -> int:
        """Puts dead letters back, as an operator does once the cause is fixed. Those with a reason stay.

        The operator's command sends each as a new message, with which a new chain begins.
        """
        messages = [message for message in self.dead if "reason" not in message.attributes]
        for message in messages:
            self.dead.remove(message)
            message.receives, message.visible, message.lineage = 0, self._timeline.seconds, NEW
            self.put(message)
        return len(messages)

    def _is_blocked(self, group: str) -> bool:
        """Whether a message of the group is in flight or hidden."""
        now = self._timeline.seconds
        in_flight = [
            message for message in self._in_flight.get(group, ()) if message.visible > now and not message.gone
        ]
        self._in_flight[group] = in_flight
        return bool(in_flight)

    def _remove(self, message: Message) -> None:
        listed = self._groups[message.group]
        del listed[message]
        if not listed:
            del self._groups[message.group]
        self._received.pop(message.receipt, None)


class SQSClient:
    """boto3's client, as far as `feedlane.aws` uses it. A queue's URL is its name."""

    def __init__(self, queues: dict[str, Queue], faults: Faults) -> None:
        self._queues = queues
        self._faults = faults

    def send_message(self, **arguments: Any) -> dict[str, Any]:
        rights.require("sqs:SendMessage", IN_TEMPLATE[arguments["QueueUrl"]])
        self._faults.before("send", SEND_SECONDS)
        self._faults.outages.require(SQS)
        if self._faults.strike("send_failed"):
            raise Unreachable("send")
        queue, attributes = self._queues[arguments["QueueUrl"]], arguments.get("MessageAttributes", {})
        reason = {"reason": attributes["reason"]["StringValue"]} if "reason" in attributes else {}
        id = queue.send(
            arguments["MessageBody"],
            arguments.get("MessageGroupId", ""),
            arguments.get("MessageDeduplicationId"),
            arguments.get("DelaySeconds", 0),
            **reason,
        )
        self._faults.after("send", SEND_SECONDS)
        if self._faults.strike("send_answer_lost"):
            raise Unreachable("answer of a send")
        return {"MessageId": id}

    def change_message_visibility(self, **arguments: Any) -> None:
        rights.require("sqs:ChangeMessageVisibility", IN_TEMPLATE[arguments["QueueUrl"]])
        self._faults.before("send", SEND_SECONDS)
        self._faults.outages.require(SQS)
        self._queues[arguments["QueueUrl"]].hide_received(arguments["ReceiptHandle"], arguments["VisibilityTimeout"])
