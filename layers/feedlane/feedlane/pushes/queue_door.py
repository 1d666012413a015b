"""Parcels of one feed, read: whose they are, which push operation each stands for, and what it brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from feedlane.clock import local_date
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.errors import Finding, Invalid, NotFound
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.ledger import RecordedTransaction
from feedlane.feeds.line import Line
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ids import derived_id
from feedlane.pushes.content import fingerprint_of, parse_content
from feedlane.pushes.message import PushMessage, QueueMessage, parse_message
from feedlane.queues import Queues
from feedlane.store import keys
from feedlane.store.read_ahead import with_read_ahead
from feedlane.store.store import Store


@dataclass(frozen=True)
class Push:
    """A message, read: its operation as it stands, and its lines or what is wrong with them."""

    operation: PushOperation
    lines: tuple[Line, ...]
    errors: tuple[Finding, ...]

    @property
    def is_done(self) -> bool:
        """Recorded or ended before: the message came again."""
        return bool(self.operation.through) or self.operation.status not in {PushStatus.PENDING, PushStatus.TIMED_OUT}


def parsed(queues: Queues, messages: Sequence[QueueMessage]) -> list[PushMessage]:
    """The messages that say whose they are; the others are set aside with their reason."""
    found = []
    for message in messages:
        try:
            found.append(parse_message(message))
        except Invalid as error:
            _dead_letter(queues, message, error)
    return found


def read_ahead(store: Store, parcels: Sequence[PushMessage]) -> Store:
    """The store with all that the parcels name read in one request, as it is now."""
    first = parcels[0]
    doorbells = [parcel for parcel in parcels if parcel.transactions is None and parcel.operation_key]
    return with_read_ahead(
        store,
        [
            keys.SETTINGS,
            keys.company(first.company_id),
            keys.connection(first.company_id, first.connection_id),
            keys.feed(first.feed_id),
            keys.id_index(first.feed_id),
            *(keys.push_operation(parcel.company_id, _operation_key(parcel)) for parcel in parcels),
            *(keys.pushed_lines(parcel.feed_id, _operation_key(parcel), 0) for parcel in doorbells),
        ],
    )


def with_company(
    ahead: Store, queues: Queues, parcels: Sequence[PushMessage]
) -> tuple[Company | None, list[PushMessage]]:
    """The company of the parcels, and those that push operations can show; the others are set aside."""
    company, known = company_items.find_company(ahead, parcels[0].company_id), []
    for parcel in parcels:
        try:
            if company is None:
                raise NotFound("company", parcel.company_id)
            if parcel.transactions is None:
                key = parcel.operation_key or ""
                if not _is_of_feed(push_operation_items.find_operation(ahead, parcel.company_id, key), parcel):
                    raise NotFound("push operation of this account", key)
        except NotFound as missing:
            _dead_letter(queues, parcel.message, missing)
        else:
            known.append(parcel)
    return company, known


def read_push(ahead: Store, parcel: PushMessage, feed: Feed | None, now: datetime) -> Push:
    """The push of a parcel. A producer's message makes its own operation, the same one each time it comes."""
    given = parcel.operation_key
    existing = push_operation_items.existing_operation(ahead, parcel.company_id, given) if given else None
    if parcel.transactions is None and existing is not None:
        return Push(existing, tuple(push_operation_items.pushed_lines_by_key(ahead, existing)), ())
    content = parse_content(parcel.transactions, local_date(now, feed.time_zone if feed else "UTC"))
    fingerprint = fingerprint_of(content.lines)
    errors = content.errors
    key = _operation_key(parcel)
    if existing is not None and (existing.content != fingerprint or not _is_of_feed(existing, parcel)):
        rule = f"{key} is the key of another push; a key stands for one push"
        errors = (Finding(item_id="pushOperationKey", message=rule, validator="UniqueKey"),)
        key = derived_id("message", parcel.feed_id, parcel.message.id)
        existing = None
    if existing is None:
        existing = push_operation_items.existing_operation(ahead, parcel.company_id, key)
    operation = existing or PushOperation(
        key=key,
        company_id=parcel.company_id,
        connection_id=parcel.connection_id,
        account_id=parcel.account_id,
        door=Door.QUEUE,
        requested_on=parcel.message.sent_at,
        warnings=content.warnings,
        content=fingerprint,
        transactions=len(parcel.transactions) if isinstance(parcel.transactions, list) else 0,
    )
    return Push(operation, content.lines, errors)


def holds_and_recorded_ids(
    ahead: Store, feed: Feed, pushes: Sequence[Push]
) -> tuple[list[Hold], dict[str, RecordedTransaction]]:
    """What holds the feed, and which of the pushes' ids it has recorded, in one request.

    Not before the feed is read: only then are the ids of all its lines, and the tenant that may be held, known.
    """
    ids = {line.id for push in pushes for line in push.lines}
    subjects = feed.hold_subjects
    ahead = with_read_ahead(
        ahead, [*(keys.hold(*subject) for subject in subjects), *feed_items.recorded_id_keys(ahead, feed, ids)]
    )
    return hold_items.holds_on(ahead, subjects), feed_items.recorded_ids(ahead, feed, ids)


def _dead_letter(queues: Queues, message: QueueMessage, why: Exception) -> None:
    queues.dead_letter(message.group, message.id, message.body, str(why))


def _is_of_feed(operation: PushOperation, parcel: PushMessage) -> bool:
    return (operation.connection_id, operation.account_id) == (parcel.connection_id, parcel.account_id)


def _operation_key(parcel: PushMessage) -> str:
    return parcel.operation_key or derived_id("message", parcel.feed_id, parcel.message.id)
