"""The door of the queue: messages of one feed become pushes, each with its push operation and its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.errors import Finding, Invalid, NotFound
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items, set_aside_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.ledger import RecordedTransaction
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import Door, PushOperation
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ids import derived_id
from feedlane.pushes.content import parse_content
from feedlane.pushes.message import PushMessage, QueueMessage, parse_message
from feedlane.queues import Queues
from feedlane.store import keys
from feedlane.store.read_ahead import with_read_ahead
from feedlane.store.store import Store


@dataclass(frozen=True)
class Push:
    """A push that came through the queue: its operation as it is now, and its lines or their errors."""

    operation: PushOperation
    lines: tuple[Line, ...]
    errors: tuple[Finding, ...]

    @property
    def is_done(self) -> bool:
        """Whether it was recorded or ended before: its message is a repeat."""
        return self.operation.is_decided


def parsed(queues: Queues, messages: Sequence[QueueMessage]) -> list[PushMessage]:
    """The messages that identify their feed; the others go to the dead-letter queue with the reason."""
    valid = []
    for message in messages:
        try:
            valid.append(parse_message(message))
        except Invalid as error:
            _dead_letter(queues, message, error)
    return valid


def batches(messages: Iterable[PushMessage]) -> Iterator[list[PushMessage]]:
    """The messages in their order, in batches of one company that name each push operation once.

    A message is decided on its operation as the messages before it leave it, so those must be recorded first: it may
    repeat one of them, be its doorbell, or have other content under its key.
    """
    batch: list[PushMessage] = []
    named: set[str] = set()
    for message in messages:
        # Its own key too: a message with another push's key falls back to it, and a message put back carries it.
        operation_keys = {_operation_key(message), _own_operation_key(message)}
        if batch and (message.company_id != batch[0].company_id or named & operation_keys):
            yield batch
            batch, named = [], set()
        batch.append(message)
        named |= operation_keys
    if batch:
        yield batch


def read_ahead(store: Store, messages: Sequence[PushMessage]) -> Store:
    """The store, with everything that the messages refer to read in one request."""
    first = messages[0]
    doorbells = [message for message in messages if message.transactions is None and message.operation_key]
    return with_read_ahead(
        store,
        [
            keys.SETTINGS,
            keys.company(first.company_id),
            keys.connection(first.company_id, first.connection_id),
            keys.feed(first.feed_id),
            keys.id_index(first.feed_id),
            *(keys.push_operation(message.company_id, _operation_key(message)) for message in messages),
            *(keys.pushed_lines(message.feed_id, _operation_key(message), 0) for message in doorbells),
        ],
    )


def with_company(
    ahead: Store, queues: Queues, messages: Sequence[PushMessage]
) -> tuple[Company | None, list[PushMessage]]:
    """The company, and the messages that push operations can show; the others go to the dead-letter queue."""
    company = company_items.find_company(ahead, messages[0].company_id)
    attributed = []
    for message in messages:
        try:
            if company is None:
                raise NotFound("company", message.company_id)
            if message.transactions is None:
                key = message.operation_key or ""
                if not _is_of_feed(push_operation_items.operation(ahead, message.company_id, key), message):
                    raise NotFound("push operation of this account", key)
        except NotFound as error:
            _dead_letter(queues, message.source, error)
        else:
            attributed.append(message)
    return company, attributed


def read_push(ahead: Store, message: PushMessage, feed: Feed | None, today: date) -> Push:
    """The push of a message. A producer's message creates its own operation, the same one each time it is received.

    `today` is the organisation's.
    """
    sent_key = message.operation_key
    existing = push_operation_items.find_operation(ahead, message.company_id, sent_key) if sent_key else None
    if message.transactions is None and existing is not None:
        return Push(existing, tuple(push_operation_items.pushed_lines_by_key(ahead, existing)), ())
    content = parse_content(message.transactions, today)
    errors = content.errors
    key = _operation_key(message)
    if existing is not None and (existing.content != content.fingerprint or not _is_of_feed(existing, message)):
        rule = f"{key} is already the key of another push; use a new key for each push"
        errors = (Finding(item_id="pushOperationKey", message=rule, validator="UniqueKey"),)
        key, existing = _own_operation_key(message), None
    elif feed is not None and feed.company_id != message.company_id:
        # It will be refused, and its lines are kept with the feed: they must not replace those of another company.
        key, existing = _own_operation_key(message), None
    if existing is None:
        existing = push_operation_items.find_operation(ahead, message.company_id, key)
    operation = existing or PushOperation(
        key=key,
        company_id=message.company_id,
        connection_id=message.connection_id,
        account_id=message.account_id,
        door=Door.QUEUE,
        requested_on=message.source.sent_at,
        warnings=content.warnings,
        content=content.fingerprint,
        transactions=len(message.transactions) if isinstance(message.transactions, list) else 0,
        backfill=message.backfill,
    )
    return Push(operation, content.lines, errors)


def holds_and_recorded_ids(
    ahead: Store, feed: Feed, pushes: Sequence[Push]
) -> tuple[list[Hold], dict[str, RecordedTransaction]]:
    """The holds that stop the feed, and those of the pushes' ids that it has recorded, in one request.

    This needs the feed: it names the tenant that may be held, and says whether the index of its ids is complete.
    """
    ids = {line.id for push in pushes for line in push.lines}
    subjects = feed.hold_subjects
    ahead = with_read_ahead(
        ahead, [*(keys.hold(*subject) for subject in subjects), *feed_items.recorded_id_keys(ahead, feed, ids)]
    )
    recorded = set_aside_items.with_set_aside(ahead, feed, feed_items.recorded_ids(ahead, feed, ids))
    return hold_items.holds_on(ahead, subjects), recorded


def _dead_letter(queues: Queues, message: QueueMessage, why: Exception) -> None:
    queues.dead_letter(message.group, message.id, message.body, str(why))


def _is_of_feed(operation: PushOperation, message: PushMessage) -> bool:
    return (operation.connection_id, operation.account_id) == (message.connection_id, message.account_id)


def _operation_key(message: PushMessage) -> str:
    return message.operation_key or _own_operation_key(message)


def _own_operation_key(message: PushMessage) -> str:
    """The key of the operation that a message without a key creates: the same for each delivery of the message."""
    return derived_id("message", message.feed_id, message.source.id)
