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
                ids |= {*record.rejected_ids, *([record.upstream_id] if record.upstream_id else [])}
        # `sent_date`, not `end_date`: a backfill is older than statements before it.
        if any(record.sent_date < statement.start_date for record in earlier):
            break
    return frozenset(ids)


def upstream_ids_of_connection(store: Store, feed: Feed, statement: StatementRecord) -> tuple[frozenset[str], bool]:
    """For an upstream whose list does not tell the feeds of a connection apart: the ids of all other statements of the
    connection that may be as young as this one; and whether none of them is without its id: in doubt, or resolved by an
    operator, who knows what arrived and not as which statement."""
    ids, alone = {*statement.rejected_ids, *statement.disowned_ids}, True
    feeds = {feed.id: feed, **{one.id: one for one in feed_items.feeds_of_connection(store, feed.connection_id)}}
    for one in feeds.values():
        last = statement.number - 1 if one.id == feed.id else one.statements
        known, are_all_known = _ids_posted_since(store, one.id, last, statement.created - _CLOCKS_APART)
        ids |= known
        is_in_doubt = one.flight is not None and one.flight.status is FlightStatus.POSTING
        alone = alone and are_all_known and (one.id == feed.id or not is_in_doubt)
    return frozenset(ids), alone


def _ids_posted_since(store: Store, feed_id: str, last: int, since: datetime) -> tuple[set[str], bool]:
    """The upstream's ids of the feed's statements up to this number, and whether each has its own. A feed has one after
    the other."""
    ids, are_all_known = set[str](), True
    for newest in range(last, 0, -_STATEMENTS_PER_READ):
        numbers = range(newest, max(0, newest - _STATEMENTS_PER_READ), -1)
        items = store.table.get_many(keys.statement(feed_id, number) for number in numbers)
        records = [StatementRecord.model_validate(item) for item in items.values()]
        for record in records:
            own = [record.upstream_id] if record.upstream_id else []
            ids |= {*record.rejected_ids, *record.disowned_ids, *own}
            is_young = (record.ended_on or record.created) >= since
            are_all_known = are_all_known and not (is_young and not own and record.resolved_as is not None)
        if not records or any(record.created < since for record in records):
            break
    return ids, are_all_known


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
