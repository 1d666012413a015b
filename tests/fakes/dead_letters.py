"""AWS as whoever handles dead letters has it: queues in memory, and functions that keep what they are called with."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

from feedlane.aws.put_back import NotPutBack
from feedlane.wiring.dead_letter_office import BY_COMMAND
from tests import rights
from tests.fakes.sqs import FakeSqs


class FakeLettersAws:
    """Implements `Aws`. A queue's URL is its logical id, for which each call needs its right."""

    def __init__(self, sqs: FakeSqs | None = None) -> None:
        self.sqs = sqs or FakeSqs()
        self.started: list[tuple[str, Any]] = []
        self._numbers = itertools.count()

    def client(self, service: str) -> Any:
        return {"sqs": _Guarded(self.sqs), "lambda": self}[service]

    def table_streams(self) -> Any:
        raise NotPutBack(BY_COMMAND)

    def queue_url(self, name: str) -> str:
        return queue_id(name)

    def function_name(self, name: str) -> str:
        assert name == "tend_connections"
        return "TendConnections"

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        rights.require("lambda:InvokeFunction", FunctionName)
        assert InvocationType == "Event"
        self.started.append((FunctionName, json.loads(Payload)))
        return {}

    # for tests, which need no rights

    def send(self, queue: str, body: Any, group: str = "", reason: str = "") -> str:
        """Sends a message to the queue with this name, and returns its id."""
        text = body if isinstance(body, str) else json.dumps(body)
        told = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": str(next(self._numbers))} if group else {}
        sent = self.sqs.send_message(QueueUrl=queue_id(queue), MessageBody=text, MessageAttributes=told, **fifo)
        return sent["MessageId"]

    def bodies(self, queue: str) -> list[str]:
        """What is in the queue with this name, hidden or not."""
        return [message.body for message in self.sqs.messages(queue_id(queue))]

    def visible(self, queue: str) -> int:
        return sum(message.visible_at <= self.sqs.now for message in self.sqs.messages(queue_id(queue)))


class _Guarded:
    def __init__(self, sqs: FakeSqs) -> None:
        self._sqs = sqs

    def __getattr__(self, method: str) -> Any:
        action = "".join(map(str.capitalize, method.split("_")))

        def call(**request: Any) -> Any:
            rights.require(f"sqs:{action}", request["QueueUrl"])
            return getattr(self._sqs, method)(**request)

        return call


@cache
def queue_id(name: str) -> str:
    """The logical id of the queue with this name, which is without the stack's prefix."""
    from tests.stack.template import of_type

    ids = {queue["Properties"]["QueueName"]["Fn::Sub"]: id for id, queue in of_type("AWS::SQS::Queue").items()}
    return ids[f"${{AWS::StackName}}-{name}"]
