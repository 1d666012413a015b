"""A message on `transactions.fifo`: what a producer sends, and what the API's doorbell says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedlane.errors import Invalid
from feedlane.ids import derived_id, feed_id, is_uuid
from feedlane.pushes.content import object_in

MESSAGE_VERSION = 1
# As many messages as come at once: BatchSize in the template, the most that Lambda takes from a FIFO queue.
BATCH_SIZE_MAX = 10
# What SQS takes: one MiB.
MESSAGE_BYTES_MAX = 1_048_576
# A MessageGroupId has at most 128 characters, and names two of them.
ID_LENGTH_MAX = 128


@dataclass(frozen=True)
class QueueMessage:
    """A message as the queue gave it."""

    id: str
    group: str
    body: str
    sent_at: datetime


@dataclass(frozen=True)
class PushMessage:
    """What a readable message says. `transactions` None: they are in the table, under the operation."""

    message: QueueMessage
    company_id: str
    connection_id: str
    account_id: str
    operation_key: str | None
    transactions: Any | None

    @property
    def feed_id(self) -> str:
        return feed_id(self.connection_id, self.account_id)


def parse_message(message: QueueMessage) -> PushMessage:
    """Raises `Invalid` if the message does not say whose it is: then no push operation can show it."""
    sent = object_in(message.body)
    if sent.get("version") != MESSAGE_VERSION:
        raise Invalid.field("version", f"must be {MESSAGE_VERSION}", "Version")
    names = {name: _text(sent, name) for name in ("companyId", "connectionId", "accountId")}
    key = sent.get("pushOperationKey")
    if key is not None and not (isinstance(key, str) and is_uuid(key)):
        raise Invalid.field("pushOperationKey", "must be a UUID", "Uuid")
    if key is None and "transactions" not in sent:
        raise Invalid.field("transactions", "is required", "Required")
    group = feed_id(names["connectionId"], names["accountId"])
    if message.group != group:
        raise Invalid.field("MessageGroupId", f"must be {group}, as the message's own ids say", "Match")
    return PushMessage(
        message, names["companyId"], names["connectionId"], names["accountId"], key, sent.get("transactions")
    )


def with_operation_key(body: str, group: str, message_id: str) -> str:
    """The body of a producer's message with the key of the push operation that it makes, or would have made.

    Sent again as another message, it then stands for the same operation. What names one already, cannot be read or
    would become too large is left as it is: then the ledger knows its transactions, under an operation of their own.
    """
    try:
        sent = object_in(body)
    except Invalid:
        return body
    if "pushOperationKey" in sent or "transactions" not in sent:
        return body
    key = f'"pushOperationKey":"{derived_id("message", group, message_id)}",'
    before, after = body.split("{", 1)
    named = f"{before}{{{key}{after}"
    return named if len(named.encode("utf-8", "replace")) <= MESSAGE_BYTES_MAX else body


def _text(sent: dict[str, Any], name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= ID_LENGTH_MAX or not _is_printable(value):
        raise Invalid.field(
            name, f"is required and must be a printable ASCII text of at most {ID_LENGTH_MAX} characters", "Required"
        )
    return value


def _is_printable(value: str) -> bool:
    """What a MessageGroupId and the reason of a dead letter can hold: SQS takes no control characters."""
    return value.isascii() and value.isprintable()
