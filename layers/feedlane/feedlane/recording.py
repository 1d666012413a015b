"""From the queue into the ledger: each message becomes a push operation and, if nothing is wrong, ledger lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from feedlane import event_payloads
from feedlane.clock import Clock, local_date
from feedlane.company import Company
from feedlane.connection import ConnectionStatus
from feedlane.ending import ended, held, stands
from feedlane.errors import Finding, Invalid, NotFound
from feedlane.feed import Feed
from feedlane.hold import Hold, Scope
from feedlane.ids import NewId, derived_id
from feedlane.ledger import Entry, Known, Refusal, append, appended, now_known
from feedlane.push_content import content_of, fingerprint_of
from feedlane.push_operation import Door, PushOperation, PushStatus
from feedlane.queue_message import Parcel, QueueMessage, parcel_in
from feedlane.queues import Queues
from feedlane.statement import gathering, is_gathering
from feedlane.store import keys, push_operations
from feedlane.store import ledger as ledger_items
from feedlane.store.read_ahead import reading_ahead
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Write
from feedlane.transaction import Line, len_of_texts

MOST_LINES_AT_ONCE = 2000
# A commit has at most a hundred, of which the pages of so many lines may be some fifteen.
MOST_WRITES_AT_ONCE = 80
# A commit has at most four megabytes. Of text that compresses worst, a character takes two and a quarter bytes.
MOST_BYTES_AT_ONCE = 3_500_000
BYTES_PER_CHARACTER = 2.25
# Where every balance is wrong, an event for each line would tell no more, and fit into no commit.
MOST_GAPS_TOLD = 20
_TRIES = 10


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


def record(
    store: Store,
    queues: Queues,
    clock: Clock,
    new_id: NewId,
    messages: Sequence[QueueMessage],
    more_to_come: bool = False,
) -> None:
    """Records messages of one group, in their order, in as few commits as they fit into.

    `more_to_come`: others wait on the queue behind them, so that a statement that is not full yet waits a little.
    What cannot be attributed to a company goes to the dead-letter queue with its reason, so that nobody waits for it.
    An exception means that nothing of the rest is recorded, and that the messages must come again.
    """
    parcels = [parcel for message in messages if (parcel := _readable(queues, message)) is not None]
    for _, some in groupby(parcels, key=lambda parcel: parcel.company_id):
        together = list(some)
        for _ in range(_TRIES):
            try:
                _record(store, queues, clock(), new_id, together, more_to_come)
            except ConditionFailed:
                continue  # the feed moved on meanwhile (a delivery, another append): look again
            break
        else:
            raise ConditionFailed([])


def _readable(queues: Queues, message: QueueMessage) -> Parcel | None:
    """The message, readable; or it is set aside with its reason."""
    try:
        return parcel_in(message)
    except Invalid as error:
        _set_aside(queues, message, error)
        return None


def _set_aside(queues: Queues, message: QueueMessage, why: Exception) -> None:
    queues.set_aside(message.group, message.id, message.body, str(why))


def _attributed(ahead: Store, queues: Queues, parcels: Sequence[Parcel]) -> tuple[Company | None, list[Parcel]]:
    """The company of the parcels, and those that push operations can show; the others are set aside."""
    company, known = ahead.find_company(parcels[0].company_id), []
    for parcel in parcels:
        try:
            if company is None:
                raise NotFound("company", parcel.company_id)
            if parcel.transactions is None:
                key = parcel.operation_key or ""
                if not _is_of_feed(push_operations.find_operation(ahead, parcel.company_id, key), parcel):
                    raise NotFound("push operation of this account", key)
        except NotFound as missing:
            _set_aside(queues, parcel.message, missing)
        else:
            known.append(parcel)
    return company, known


def _is_of_feed(operation: PushOperation, parcel: Parcel) -> bool:
    return (operation.connection_id, operation.account_id) == (parcel.connection_id, parcel.account_id)


def _operation_key(parcel: Parcel) -> str:
    return parcel.operation_key or derived_id("message", parcel.feed_id, parcel.message.id)


def _read_ahead(store: Store, parcels: Sequence[Parcel]) -> Store:
    first = parcels[0]
    return reading_ahead(
        store,
        [
            keys.SETTINGS,
            keys.company(first.company_id),
            keys.connection(first.company_id, first.connection_id),
            keys.feed(first.feed_id),
            keys.indexed(first.feed_id),
            *(keys.push_operation(parcel.company_id, _operation_key(parcel)) for parcel in parcels),
        ],
    )


def _record(
    store: Store, queues: Queues, now: datetime, new_id: NewId, parcels: Sequence[Parcel], more_to_come: bool
) -> None:
    ahead = _read_ahead(store, parcels)
    company, parcels = _attributed(ahead, queues, parcels)
    if company is None or not parcels:
        return
    feed = ledger_items.find_feed(ahead, parcels[0].feed_id)
    connection = ahead.find_connection(company.id, parcels[0].connection_id)
    # What comes while a hold is being released goes on by itself, as its own operation.
    holds = [hold for hold in store.holds_on(feed.holdable) if not hold.releasing] if feed else []
    waits_for_customer = any(hold.scope is Scope.CONNECTION for hold in holds)
    linked = connection is not None and (connection.status is ConnectionStatus.LINKED or waits_for_customer)
    # What comes while an account is disconnected is kept where a hold says so, which mapping it again lifts.
    fed = feed is not None and (feed.feed_connection_id or any(hold.scope is Scope.FEED for hold in holds))
    if feed is None or connection is None or feed.company_id != company.id or not linked or not fed:
        why = _why_no_feed(connection is not None, linked)
        pushes = [_read(ahead, parcel, feed, now) for parcel in parcels]
        _commit_refused(store, pushes, why, company, now, new_id)
        return
    gap_is_error = ahead.settings().gap_is_error
    pushes = [_read(ahead, parcel, feed, now) for parcel in parcels]
    known = ledger_items.known_ids(ahead, feed, {line.id for push in pushes for line in push.lines})
    came_again, waited = any(push.is_done for push in pushes), feed.waiting
    batch = _Batch(feed.but(gathering=gathering(feed, now, more_to_come)), known, [], [])
    for push in pushes:
        if push.is_done:
            continue
        fuller = _with(batch, push, company, holds, gap_is_error, now, new_id)
        if batch.writes and fuller.is_too_full:
            feed = _commit(store, batch)
            batch = replace(batch, feed=feed, writes=[], lines=[], bytes=0, hold=None)
            fuller = _with(batch, push, company, holds, gap_is_error, now, new_id)
        batch = fuller
    feed = _commit(store, batch)
    must_ring = feed.flight is None and (not waited or came_again or not is_gathering(feed, now))
    if feed.waiting and (must_ring or _was_held_meanwhile(store, feed, holds)):
        queues.wake(feed.id)


def _was_held_meanwhile(store: Store, feed: Feed, holds: Sequence[Hold]) -> bool:
    """A hold came about while we recorded behind a statement or a wake-up under way: what was recorded must be told."""
    return not holds and bool(store.holds_on(feed.holdable))


@dataclass(frozen=True)
class _Batch:
    """What is to be committed at once: the feed as it was read, the lines to add, and the other writes.

    `bytes` is about what these have. `hold` is the one on whose account operations fail: they do only while it stands.
    """

    feed: Feed
    known: dict[str, Known]
    writes: list[Write]
    lines: list[Line]
    bytes: int = 0
    hold: Hold | None = None

    @property
    def is_too_full(self) -> bool:
        too_many = len(self.lines) > MOST_LINES_AT_ONCE or len(self.writes) > MOST_WRITES_AT_ONCE
        return too_many or self.bytes > MOST_BYTES_AT_ONCE


def _with(
    batch: _Batch,
    push: Push,
    company: Company,
    holds: Sequence[Hold],
    gap_is_error: bool,
    now: datetime,
    new_id: NewId,
) -> _Batch:
    """The batch with one more push: its lines and its operation, or its operation failed."""
    after = batch.feed.but(recorded_through=batch.feed.recorded_through + len(batch.lines))
    if batch.lines:
        after = after.but(recorded_date=batch.lines[-1].date, recorded_balance=batch.lines[-1].balance)
    outcome: Entry | Refusal = (
        Refusal(push.errors) if push.errors else append(after, push.lines, batch.known, gap_is_error)
    )
    if isinstance(outcome, Refusal):
        refused = _refused(push, outcome.errors, company, now, new_id)
        size = push_operations.size_of(push.operation.but(errors=outcome.errors)) + _bytes(push.lines)
        return replace(batch, writes=batch.writes + refused, bytes=batch.bytes + size)
    operation = push.operation.but(warnings=(*push.operation.warnings, *outcome.warnings), through=outcome.through)
    operation = operation.but(lines=len(outcome.lines))
    writes: list[Write] = []
    for gap in outcome.gaps[:MOST_GAPS_TOLD]:
        writes.append(emitted(event_payloads.gap_found(new_id(), after, gap, company, now)))
    if operation.status is PushStatus.TIMED_OUT:
        writes.append(push_operations.put_operation(operation))
    elif outcome.through <= batch.feed.delivered_through:
        writes += ended(operation.succeeded(now), company, now, new_id)
    elif holds:
        writes += ended(held(operation, holds[0], now), company, now, new_id)
        batch = replace(batch, hold=holds[0])
    else:
        writes += [push_operations.put_operation(operation), push_operations.add_open(after.id, operation)]
    return replace(
        batch,
        known=batch.known | now_known(after, outcome),
        writes=batch.writes + writes,
        lines=batch.lines + list(outcome.lines),
        bytes=batch.bytes + push_operations.size_of(operation) + _bytes(outcome.lines),
    )


def _bytes(lines: Sequence[Line]) -> int:
    return int(BYTES_PER_CHARACTER * sum(map(len_of_texts, lines)))


def _commit(store: Store, batch: _Batch) -> Feed:
    """Writes the batch; the ids are indexed after it, or by whoever looks them up next."""
    feed = batch.feed
    if not batch.writes:
        return feed
    conditions: list[Write] = [stands(batch.hold)] if batch.hold else []
    if not batch.lines:
        # What was known already may be delivered at this moment: an operation must not wait for it for ever.
        store.commit(ledger_items.unmoved(feed), *conditions, *batch.writes)
        return feed
    first = feed.recorded_through + 1
    after = appended(feed, Entry(tuple(batch.lines), 0, (), ()))
    pages = ledger_items.add_lines(feed.id, first, batch.lines)
    store.commit(ledger_items.put_feed(after), *conditions, *pages, *batch.writes)
    ledger_items.index_lines(store, feed.id, first, batch.lines)
    return after.but(version=feed.version + 1)


def _read(store: Store, parcel: Parcel, feed: Feed | None, now: datetime) -> Push:
    """The push of a message. A producer's message makes its own operation, the same one each time it comes."""
    given = parcel.operation_key
    existing = push_operations.existing_operation(store, parcel.company_id, given) if given else None
    if parcel.transactions is None and existing is not None:
        return Push(existing, tuple(push_operations.pushed_lines(store, existing)), ())
    content = content_of(parcel.transactions, local_date(now, feed.time_zone if feed else "UTC"))
    fingerprint = fingerprint_of(content.lines)
    errors = content.errors
    key = _operation_key(parcel)
    if existing is not None and (existing.content != fingerprint or not _is_of_feed(existing, parcel)):
        rule = f"{key} is the key of another push; a key stands for one push"
        errors = (Finding(item_id="pushOperationKey", message=rule, validator="UniqueKey"),)
        key = derived_id("message", parcel.feed_id, parcel.message.id)
        existing = None
    if existing is None:
        existing = push_operations.existing_operation(store, parcel.company_id, key)
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


def _refused(push: Push, errors: tuple[Finding, ...], company: Company, now: datetime, new_id: NewId) -> list[Write]:
    """The operation failed, with its transactions kept beside it. One that timed out has ended: it gets the errors."""
    if push.operation.status is PushStatus.TIMED_OUT:
        return [push_operations.put_operation(push.operation.but(errors=errors))]
    operation = push.operation.failed(now, _sentence(errors), errors=errors)
    kept = push_operations.add_pushed(operation, push.lines) if push.operation.door is Door.QUEUE else []
    return [*ended(operation, company, now, new_id), *(kept if push.lines else [])]


def _commit_refused(
    store: Store, pushes: Sequence[Push], why: Finding, company: Company, now: datetime, new_id: NewId
) -> None:
    for push in pushes:
        if not push.is_done:
            store.commit(*_refused(push, (*push.errors, why), company, now, new_id))


def _why_no_feed(has_connection: bool, linked: bool) -> Finding:
    if not has_connection:
        return Finding(item_id="connectionId", message="no such connection of this company", validator="Exists")
    if not linked:
        return Finding(item_id="connectionId", message="the connection is not linked", validator="Linked")
    return Finding(item_id="accountId", message="the account is not connected to a feed", validator="Connected")


def _sentence(errors: Sequence[Finding]) -> str:
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"The push was not recorded: {first.item_id} {first.message}{more}."
