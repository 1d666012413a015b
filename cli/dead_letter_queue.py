"""A dead-letter queue on SQS: looked at, and emptied letter by letter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ClientError

from feedlane.json_object import json_object

# How long a letter stays hidden if the command is killed before it can show it again.
HIDDEN_SECONDS = 120
AT_ONCE = 10
# What SQS says of a receipt whose time is over: the letter can be received again already.
_SEEN_AGAIN = {"MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", "InvalidParameterValue"}


@dataclass(frozen=True)
class Letter:
    """A dead letter. `reason` is empty if it was moved here by SQS, because its function failed again and again."""

    id: str
    receipt: str
    body: str
    group: str
    deduplication_id: str
    sent_at: datetime
    reason: str

    @classmethod
    def of(cls, message: dict[str, Any]) -> Letter:
        attributes, told = message["Attributes"], message.get("MessageAttributes", {})
        # What Feedlane set aside says why; so do the bus and the schedule.
        reasons = [told[name]["StringValue"] for name in ("reason", "ERROR_CODE") if name in told]
        return cls(
            id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            group=attributes.get("MessageGroupId", ""),
            deduplication_id=attributes.get("MessageDeduplicationId", ""),
            sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
            reason=reasons[0] if reasons else "",
        )

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty if it is none."""
        return json_object(self.body) or {}


@dataclass
class DeadLetterQueue:
    """Used as a context: what was received and not removed can be received by others again when it ends."""

    sqs: Any
    url: str
    _held: dict[str, Letter] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for letter in self._held.values():
            self._show_again(letter)
        self._held.clear()

    def count(self) -> int:
        """About how many there are; those that somebody else is looking at included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def first(self) -> list[Letter]:
        """The first few. SQS shows no more than this of a feed: what is behind comes when these are gone."""
        return self._receive()

    def letters(self) -> Iterator[Letter]:
        """Each letter once, a feed's in their order, until none is left that may be received."""
        seen: set[str] = set()
        while new := [letter for letter in self._receive() if letter.id not in seen]:
            seen |= {letter.id for letter in new}
            yield from new

    def remove(self, letter: Letter) -> None:
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt)
        self._held.pop(letter.id, None)

    def _show_again(self, letter: Letter) -> None:
        try:
            self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=letter.receipt, VisibilityTimeout=0)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _SEEN_AGAIN:
                raise

    def _receive(self) -> list[Letter]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=AT_ONCE,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=1,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        found = [Letter.of(message) for message in answer.get("Messages", [])]
        self._held |= {letter.id: letter for letter in found}
        return found
