"""A dead-letter queue on SQS: read without being changed, and emptied message by message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ClientError

from feedlane.json_object import json_object
from feedlane.queues import reason_in, without_reason

# A message stays hidden this long if its reader is killed before he returns it, or if SQS does not take it back.
VISIBILITY_SECONDS = 120
# As long as those that Feedlane attaches.
REASON_LENGTH_MAX = 1_000
RECEIVE_MAX = 10
# SQS may answer without the letters that there are, so that one such answer does not mean that there are no more.
QUIET_ANSWERS_MAX = 3
# A list ends before its first letters are visible again: it would mistake those for the rest.
LISTED_MAX = 10_000
LISTED_SECONDS_MAX = 90
# For messages that go back one by one: of thousands, the rest is visible by itself when its time is over.
RETURN_SECONDS_MAX = 3
# How SQS says that a receipt is no longer the message's last one, that it is visible, or that it is gone.
_NOT_OURS_ANY_MORE = {
    "ReceiptHandleIsInvalid",
    "InvalidParameterValue",
    "MessageNotInflight",
    "AWS.SimpleQueueService.MessageNotInflight",
}

seconds = time.monotonic


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue. `reason` is empty if SQS moved it here because its function kept failing.

    `deduplication_id`: of one that Feedlane has set aside, the id of the message that it was. `receives`: how often it
    was received in all, with every look at the dead letters.
    """

    id: str
    receipt: str
    body: str
    group: str
    deduplication_id: str
    sent_at: datetime
    reason: str
    receives: int = 0

    @classmethod
    def of(cls, message: dict[str, Any]) -> DeadLetter:
        attributes, custom = message["Attributes"], message.get("MessageAttributes", {})
        # Feedlane, the bus and the schedule each attach the reason. A producer can attach what he likes.
        texts = [custom.get(name, {}).get("StringValue", "") for name in ("reason", "ERROR_CODE")]
        reasons = [text[:REASON_LENGTH_MAX] for text in texts if text]
        return cls(
            id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            group=attributes.get("MessageGroupId", ""),
            deduplication_id=without_reason(attributes.get("MessageDeduplicationId", "")),
            sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
            reason=reasons[0] if reasons else reason_in(attributes.get("MessageDeduplicationId", "")),
            receives=int(attributes.get("ApproximateReceiveCount", 0)),
        )

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty if it is not one."""
        return json_object(self.body) or {}

    @property
    def is_of_the_stream(self) -> bool:
        """Whether it has no event, but the place of some in the table's stream."""
        return "DDBStreamBatchInfo" in self.json


@dataclass
class DeadLetterQueue:
    """A context manager: on exit, received messages that were not removed become visible to others again.

    `one_by_one`: each with a call of its own, as roles name it, for `RETURN_SECONDS_MAX`. On AWS the right to that
    covers the batch.
    """

    sqs: Any
    url: str
    visibility_seconds: int = VISIBILITY_SECONDS
    one_by_one: bool = False
    # Their receipts, by their ids: a body may have a MiB, and many are looked at.
    _held: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        held = list(self._held.values())
        self._held.clear()
        if self.one_by_one:
            self._return_in_time(held)
            return
        for start in range(0, len(held), RECEIVE_MAX):
            self._return(held[start : start + RECEIVE_MAX])

    def count(self) -> int:
        """The approximate number of messages, those hidden by another reader included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def listed(self) -> Iterator[DeadLetter]:
        """Every letter that SQS shows, for as long as they stay hidden: `LISTED_MAX` at the most."""
        end = seconds() + LISTED_SECONDS_MAX
        for letter in islice(self.letters(), LISTED_MAX):
            yield letter
            if seconds() > end:
                return

    def letters(self, enough: int | None = None) -> Iterator[DeadLetter]:
        """Every visible message once, those of one feed in order; no more are asked for once `enough` are hidden.

        SQS shows at most ten messages of one feed: the next appear once these are gone.
        """
        seen: set[str] = set()
        quiet = 0
        while quiet < QUIET_ANSWERS_MAX and (enough is None or len(self._held) < enough):
            new = [letter for letter in self._receive() if letter.id not in seen]
            seen |= {letter.id for letter in new}
            yield from new
            quiet = 0 if new else quiet + 1
            if quiet and len(self._held) >= self.count():
                return

    def remove(self, letter: DeadLetter) -> None:
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt)
        self._held.pop(letter.id, None)

    def _return(self, receipts: list[str]) -> None:
        """What SQS does not take back is visible again when its time is over, or is already."""
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(receipts)
        ]
        self.sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)

    def _return_in_time(self, receipts: list[str]) -> None:
        """Of a feed whose first messages are visible again SQS shows none before its last one is."""
        end = seconds() + RETURN_SECONDS_MAX
        for receipt in receipts:
            self._return_one(receipt)
            if seconds() > end:
                return

    def _return_one(self, receipt: str) -> None:
        try:
            self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=0)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_OURS_ANY_MORE:
                raise

    def _receive(self) -> list[DeadLetter]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=RECEIVE_MAX,
            VisibilityTimeout=self.visibility_seconds,
            WaitTimeSeconds=1,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        letters = [DeadLetter.of(message) for message in answer.get("Messages", [])]
        self._held |= {letter.id: letter.receipt for letter in letters}
        return letters
