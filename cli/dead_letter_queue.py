"""A dead-letter queue on SQS: read without being changed, and emptied message by message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ClientError

from feedlane.json_object import json_object
from feedlane.queues import reason_in

# A message stays hidden this long if the command is killed before it returns it.
VISIBILITY_SECONDS = 120
RECEIVE_MAX = 10
# SQS answers one of these for an expired receipt: the message is visible again already.
_RECEIPT_EXPIRED = {"MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", "InvalidParameterValue"}


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue. `reason` is empty if SQS moved it here because its function kept failing."""

    id: str
    receipt: str
    body: str
    group: str
    deduplication_id: str
    sent_at: datetime
    reason: str

    @classmethod
    def of(cls, message: dict[str, Any]) -> DeadLetter:
        attributes, custom = message["Attributes"], message.get("MessageAttributes", {})
        # Feedlane, the bus and the schedule each attach the reason.
        reasons = [custom[name]["StringValue"] for name in ("reason", "ERROR_CODE") if name in custom]
        return cls(
            id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            group=attributes.get("MessageGroupId", ""),
            deduplication_id=attributes.get("MessageDeduplicationId", ""),
            sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
            reason=reasons[0] if reasons else reason_in(attributes.get("MessageDeduplicationId", "")),
        )

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty if it is not one."""
        return json_object(self.body) or {}


@dataclass
class DeadLetterQueue:
    """A context manager: on exit, received messages that were not removed become visible to others again."""

    sqs: Any
    url: str
    _held: dict[str, DeadLetter] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for letter in self._held.values():
            self._return(letter)
        self._held.clear()

    def count(self) -> int:
        """The approximate number of messages, those hidden by another reader included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def first(self) -> list[DeadLetter]:
        """The first few. SQS shows at most ten messages of one feed: the next appear once these are gone."""
        return self._receive()

    def letters(self) -> Iterator[DeadLetter]:
        """Every visible message once, those of one feed in order."""
        seen: set[str] = set()
        while new := [letter for letter in self._receive() if letter.id not in seen]:
            seen |= {letter.id for letter in new}
            yield from new

    def remove(self, letter: DeadLetter) -> None:
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt)
        self._held.pop(letter.id, None)

    def _return(self, letter: DeadLetter) -> None:
        try:
            self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=letter.receipt, VisibilityTimeout=0)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _RECEIPT_EXPIRED:
                raise

    def _receive(self) -> list[DeadLetter]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=RECEIVE_MAX,
            VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=1,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        letters = [DeadLetter.of(message) for message in answer.get("Messages", [])]
        self._held |= {letter.id: letter for letter in letters}
        return letters
