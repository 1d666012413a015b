"""Statements as table items: the record, and the frozen request beside it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, FlightStatus, SetAside
from feedlane.statements.statement import StatementRecord
from feedlane.store import keys
from feedlane.store.records import item_of, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, ITEM_BYTES_MAX, Put

_STATEMENTS_PER_READ = 50
# How far the upstream's clock may be behind ours.
_CLOCKS_APART = timedelta(minutes=5)


def add_statement(statement: StatementRecord, request: bytes) -> list[Put]:
    """The statement and its request, byte for byte, split over as many items as needed."""
    body = zlib.compress(request, 1)
    parts = [body[at : at + ITEM_BYTES_MAX] for at in range(0, len(body), ITEM_BYTES_MAX)]
    record = statement.but(parts=len(parts), version=1)
    writes = [Put(item_of(keys.statement(statement.feed_id, statement.number), record), ABSENT)]
    for number, part in enumerate(parts):
        pk, sk = keys.statement_body(statement.feed_id, statement.number, number)
        writes.append(Put({"pk": pk, "sk": sk, "body": part}, ABSENT))
    return writes


def put_statement(statement: StatementRecord) -> Put:
    return put_record(keys.statement(statement.feed_id, statement.number), statement)


def find_statement(store: Store, feed_id: str, number: int) -> StatementRecord | None:
    return record_in(StatementRecord, store.table.get(keys.statement(feed_id, number)))


def statements(store: Store, feed_id: str, numbers: Iterable[int]) -> list[StatementRecord]:
    """Those of the feed's statements that there are, in the order of `numbers`."""
    wanted = [keys.statement(feed_id, number) for number in numbers]
    items = store.table.get_many(wanted)
    return [StatementRecord.model_validate(items[key]) for key in wanted if key in items]


def statement_request(store: Store, statement: StatementRecord) -> bytes:
    body_keys = [keys.statement_body(statement.feed_id, statement.number, part) for part in range(statement.parts)]
    items = store.table.get_many(body_keys)
    return zlib.decompress(b"".join(items[key]["body"] for key in body_keys))


def other_upstream_ids(store: Store, statement: StatementRecord) -> frozenset[str]:
    """The upstream's ids of what the statement could be mistaken for: the feed's ended statements with the same dates,
    and posts that were rejected as duplicates."""
    ids = set(statement.rejected_ids)
    for last in range(statement.number - 1, 0, -_STATEMENTS_PER_READ):
        numbers = range(last, max(0, last - _STATEMENTS_PER_READ), -1)
        items = store.table.get_many(keys.statement(statement.feed_id, number) for number in numbers)
        earlier = [StatementRecord.model_validate(item) for item in items.values()]
        for record in earlier:
            if record.end_date >= statement.start_date:
                ids |= _known_ids(record)
        # `sent_date`, not `end_date`: a backfill is older than statements before it.
        if any(record.sent_date < statement.start_date for record in earlier):
            break
    return frozenset(ids)


def upstream_ids_of_connection(store: Store, feed: Feed, statement: StatementRecord) -> tuple[frozenset[str], bool]:
    """For an upstream whose list does not tell the feeds of a connection apart: the ids of all other statements of the
    connection that may be as young as this one; and whether no other statement of it can be there under an id that is
    not among them: one in doubt, or one that an operator called delivered.
    """
    ids, alone, since = {*statement.rejected_ids, *statement.given_up_ids}, True, statement.created - _CLOCKS_APART
    for one in _feeds_at_connection(store, feed):
        last = statement.number - 1 if one.id == feed.id else one.statements
        records = _posted_since(store, one.id, last, since)
        for record in records:
            ids |= _known_ids(record)
        is_in_doubt = one.flight is not None and one.flight.status is FlightStatus.POSTING
        has_unknown = any(
            record.resolved_as and not record.upstream_id and record.ended_on and record.ended_on >= since
            for record in records
        )
        alone = alone and not has_unknown and (one.id == feed.id or not is_in_doubt)
    return frozenset(ids), alone


def _feeds_at_connection(store: Store, feed: Feed) -> list[Feed]:
    """This feed and all others of its connection, also of accounts that were removed: what they pushed is listed too.

    The index of the organisation's feeds may lag behind the newest; those of the accounts do not.
    """
    listed = feed_items.feeds_of_tenant(store, feed.tenant_id) if feed.tenant_id else []
    feeds = [feed, *listed, *feed_items.feeds_of_connection(store, feed.connection_id)]
    return list({one.id: one for one in feeds}.values())


def _posted_since(store: Store, feed_id: str, last: int, since: datetime) -> list[StatementRecord]:
    """The feed's statements up to this number, as far back as one may have been posted. A feed has one after the
    other."""
    found: list[StatementRecord] = []
    for newest in range(last, 0, -_STATEMENTS_PER_READ):
        numbers = range(newest, max(0, newest - _STATEMENTS_PER_READ), -1)
        items = store.table.get_many(keys.statement(feed_id, number) for number in numbers)
        records = [StatementRecord.model_validate(item) for item in items.values()]
        found += records
        if not records or any(record.created < since for record in records):
            break
    return found


def _known_ids(record: StatementRecord) -> set[str]:
    ids = (*record.rejected_ids, *record.given_up_ids, record.upstream_id)
    return {id for id in ids if id}


def lines_set_aside(store: Store, statement: StatementRecord, now: datetime) -> list[SetAside]:
    """The lines of the statement that an operator sets aside."""
    if not statement.set_aside:
        return []
    lines = feed_items.read_lines(store, statement.feed_id, statement.first, statement.line_count)
    return [
        SetAside(sequence=number, transaction_id=lines[number - statement.first].id, on=now)
        for number in statement.set_aside
    ]


def last_statements(store: Store, feeds: Sequence[Feed]) -> dict[str, StatementRecord]:
    """The latest statement of each of these feeds that has one, by the feed's id."""
    items = store.table.get_many(keys.statement(feed.id, feed.statements) for feed in feeds if feed.statements)
    return {record.feed_id: record for record in map(StatementRecord.model_validate, items.values())}
