"""The deployed functions, called directly with events as their triggers make them; whatever they report is raised."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from local.instance import STACK, Instance

LOOKS_MAX = 3


class Failed(AssertionError):
    """The function did not do what it was called for."""


class Functions:
    """A call waits for its function to end, so that a failure is known at once, and nothing stays behind in a queue."""

    def __init__(self, instance: Instance) -> None:
        self._client = instance.client("lambda")

    def call(self, function: str, event: dict[str, Any]) -> Any:
        answer = self._client.invoke(FunctionName=f"{STACK}-{function}", Payload=json.dumps(event).encode())
        said = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise Failed(f"{function}: {said}")
        return said

    def page(
        self,
        function: str,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """A browser's request. Any answer but a server error is one: a page may well say that something is wrong."""
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": urlencode(query or {}),
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "cookies": [f"{name}={value}" for name, value in (cookies or {}).items()],
            "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
            "body": urlencode(form or {}),
            "isBase64Encoded": False,
        }
        answer: dict[str, Any] = self.call(function, event)
        if answer["statusCode"] >= 500:
            raise Failed(f"{function}: {method} {path} answers {answer['statusCode']}")
        return answer

    def messages(self, function: str, *bodies: str, group: str = "") -> None:
        """A batch of a queue. None of its messages may be reported as failed."""
        answer = self.call(function, _batch(bodies, group))
        if answer["batchItemFailures"]:
            raise Failed(f"{function}: {len(answer['batchItemFailures'])} of {len(bodies)} messages failed")

    def postpones(self, function: str, body: str, group: str = "") -> None:
        """A message that is to come again soon. It never was in the queue, and SQS says so: to whom may ask.

        MiniStack waits for the lines of a log for a quarter of a second only, so a busy machine needs another look.
        """
        logs: list[str] = []
        while len(logs) < LOOKS_MAX:
            logs.append(self._log_of(function, body, group))
            if "ReceiptHandleIsInvalid" in logs[-1]:
                return
        raise Failed(f"{function} could not postpone a message: {logs}")

    def _log_of(self, function: str, body: str, group: str) -> str:
        """The end of what the function logs about a message."""
        payload = json.dumps(_batch((body,), group)).encode()
        answer = self._client.invoke(FunctionName=f"{STACK}-{function}", Payload=payload, LogType="Tail")
        return base64.b64decode(answer["LogResult"]).decode()


def cookies_in(answer: dict[str, Any]) -> dict[str, str]:
    """The cookies that an answer sets."""
    return {name: found.value for text in answer.get("cookies", []) for name, found in SimpleCookie(text).items()}


def _batch(bodies: tuple[str, ...], group: str) -> dict[str, Any]:
    return {"Records": [_record(body, group) for body in bodies]}


def _record(body: str, group: str) -> dict[str, Any]:
    sent = str(int(time.time() * 1000))
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "probe",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": sent, "MessageGroupId": group},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
