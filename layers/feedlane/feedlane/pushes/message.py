"""A message on `transactions.fifo`: a producer's push, or the doorbell of a push that came through the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedlane.errors import Invalid
from feedlane.ids import derived_id, feed_id, is_uuid
from feedlane.pushes.content import object_in
from feedlane.queues import MESSAGE_BYTES_MAX

MESSAGE_VERSION = 1
# BatchSize in the template: the most messages that Lambda takes from a FIFO queue at once.
BATCH_SIZE_MAX = 10
# A MessageGroupId has at most 128 characters and contains two ids: none can be longer.
ID_LENGTH_MAX = 128


@dataclass(frozen=True)
class QueueMessage:
    """A message as it came from the queue."""

    id: str
    group: str
    body: str
    sent_at: datetime


@dataclass(frozen=True)
class PushMessage:
    """The content of a valid message. `transactions` None: they are in the table, under the operation.

    `backfill` is the key of the refused push whose missing transactions it has.
    """

    source: QueueMessage
    company_id: str
    connection_id: str
    account_id: str
    operation_key: str | None
    transactions: Any | None
    backfill: str = ""

    @property
    def feed_id(self) -> str:
        return feed_id(self.connection_id, self.account_id)


def parse_message(message: QueueMessage) -> PushMessage:
    """The content of the message. Raises `Invalid` if it names no feed: then no push operation could show it."""
    body = object_in(message.body)
    if body.get("version") != MESSAGE_VERSION:
        raise Invalid.field("version", f"must be {MESSAGE_VERSION}", "Version")
    ids = {field: _required_id(body, field) for field in ("companyId", "connectionId", "accountId")}
    key = body.get("pushOperationKey")
    if key is not None and not (isinstance(key, str) and is_uuid(key)):
        raise Invalid.field("pushOperationKey", "must be a UUID", "Uuid")
    if key is None and "transactions" not in body:
        raise Invalid.field("transactions", "is required", "Required")
    backfill = body.get("backfill")
    if backfill is not None and not (isinstance(backfill, str) and is_uuid(backfill)):
        raise Invalid.field("backfill", "must be the key of a push operation, a UUID", "Uuid")
    group = feed_id(ids["connectionId"], ids["accountId"])
    if message.group != group:
        raise Invalid.field("MessageGroupId", f"must be {group}, its connectionId and accountId", "Match")
    company_id, connection_id, account_id = ids.values()
    return PushMessage(message, company_id, connection_id, account_id, key, body.get("transactions"), backfill or "")


def with_operation_key(body: str, group: str, message_id: str) -> str:
    """The body of a producer's message, with the key of the push operation that it creates or would have created.

    Sent again as a new message, it then refers to the same operation. A body that already has a key, is not valid or
    would become too large is returned unchanged: the ledger recognises its transactions, under another operation.
    """
    try:
        content = object_in(body)
    except Invalid:
        return body
    if "pushOperationKey" in content or "transactions" not in content:
        return body
    key_field = f'"pushOperationKey":"{derived_id("message", group, message_id)}",'
    before, after = body.split("{", 1)
    keyed = f"{before}{{{key_field}{after}"
    return keyed if len(keyed.encode("utf-8", "replace")) <= MESSAGE_BYTES_MAX else body


def _required_id(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not 1 <= len(value) <= ID_LENGTH_MAX or not _is_printable_ascii(value):
        rule = f"is required and must be a string of at most {ID_LENGTH_MAX} printable ASCII characters"
        raise Invalid.field(field, rule, "Required")
    return value


def _is_printable_ascii(value: str) -> bool:
    """Whether a MessageGroupId and the reason of a dead letter can hold it: SQS rejects control characters."""
    return value.isascii() and value.isprintable()
