"""How a feed is kept: its head, its lines in pages, and the index of their transaction ids."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence

from feedlane.companies import items as company_items
from feedlane.companies.source_account import LedgerBalance, SourceAccount
from feedlane.feeds.feed import Feed
from feedlane.feeds.ledger import RecordedTransaction
from feedlane.feeds.line import Line
from feedlane.ids import feed_id as id_of_feed
from feedlane.store import keys
from feedlane.store.due import Kind, due_keys
from feedlane.store.records import item_of, put_record, record_in
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, ITEM_BYTES_MAX, Condition, Index, Item, Key, Put, When

LINES_INDEXED_AGAIN = 100


def find_feed(store: Store, feed_id: str) -> Feed | None:
    return record_in(Feed, store.table.get(keys.feed(feed_id)))


def add_feed(feed: Feed) -> Put:
    return Put(item_of(keys.feed(feed.id), feed.but(version=1), **_index_keys(feed)), ABSENT)


def put_feed(feed: Feed) -> Put:
    """Fails if the feed has changed since it was read: appending, cutting and delivering exclude each other."""
    return put_record(keys.feed(feed.id), feed, **_index_keys(feed))


def feed_unchanged(feed: Feed) -> Condition:
    """The condition that the feed has not changed since it was read."""
    return Condition(keys.feed(feed.id), When(equal={"version": feed.version}))


def find_feeds(store: Store, feed_ids: Iterable[str]) -> list[Feed]:
    """Those of the feeds that exist, in the order of `feed_ids`."""
    feed_keys = [keys.feed(feed_id) for feed_id in feed_ids]
    items = store.table.get_many(feed_keys)
    return [Feed.model_validate(items[key]) for key in feed_keys if key in items]


def feeds_of_tenant(store: Store, tenant_id: str) -> list[Feed]:
    """As they are now: the index may lag, so it only says which feeds there are."""
    return find_feeds(store, [item["id"] for item in store.table.query(keys.tenant(tenant_id), index=Index.LISTS)])


def feeds_of_connection(store: Store, connection_id: str) -> list[Feed]:
    return find_feeds(
        store, [f"{connection_id}/{account.id}" for account in company_items.source_accounts(store, connection_id)]
    )


def ledger_balances(store: Store, accounts: Iterable[SourceAccount]) -> dict[str, LedgerBalance]:
    """By the account's id, of those accounts of one connection whose ledger has a line."""
    feeds = find_feeds(store, [id_of_feed(account.connection_id, account.id) for account in accounts])
    return {feed.account_id: feed.ledger_balance for feed in feeds if feed.ledger_balance}


# lines


def pack_lines(lines: Sequence[Line]) -> list[tuple[int, bytes]]:
    """The lines in order as compressed pages, each small enough for an item, with the number of its lines."""
    # UTF-8, not escapes: with escapes, a page in a non-Latin script is twice as large.
    text = json.dumps([line.as_strings() for line in lines], separators=(",", ":"), ensure_ascii=False)
    page = zlib.compress(text.encode(), 1)
    if len(page) <= ITEM_BYTES_MAX or len(lines) == 1:
        return [(len(lines), page)]
    half = len(lines) // 2
    return pack_lines(lines[:half]) + pack_lines(lines[half:])


def unpack_lines(page: bytes) -> list[Line]:
    return [Line.from_strings(strings) for strings in json.loads(zlib.decompress(page))]


def add_lines(feed_id: str, first: int, lines: Sequence[Line]) -> list[Put]:
    """The lines as pages of the ledger, numbered from `first`."""
    writes = []
    for count, page in pack_lines(lines):
        pk, sk = keys.lines(feed_id, first)
        writes.append(Put({"pk": pk, "sk": sk, "first": first, "count": count, "lines": page}, ABSENT))
        first += count
    return writes


def read_lines(store: Store, feed_id: str, sequence: int, limit: int) -> list[Line]:
    """Up to `limit` lines of the feed in order, starting with line `sequence`."""
    partition, sort_key = keys.lines(feed_id, sequence)
    # The page that has line `sequence` is the last one that starts at or before it.
    first = next(iter(store.table.query(partition, start="LINES#", end=sort_key, reverse=True, limit=1)), None)
    lines = unpack_lines(first["lines"])[sequence - first["first"] :] if first else []
    if len(lines) < limit:
        # Often that page has them all, and what follows it need not be read.
        _, after = keys.lines(feed_id, sequence + len(lines))
        for page in store.table.query(partition, start=after, end="LINES#~"):
            lines.extend(unpack_lines(page["lines"]))
            if len(lines) >= limit:
                break
    return lines[:limit]


# the index of transaction ids


def recorded_ids(store: Store, feed: Feed, ids: Iterable[str]) -> dict[str, RecordedTransaction]:
    """Those of the ids that the feed has recorded. First completes the index, if a crash left it behind the ledger."""
    if feed.recorded_through == 0:
        return {}
    if indexed_through(store, feed.id) < feed.recorded_through:
        index_ids(store, feed)
    items = store.table.get_many(keys.transaction(feed.id, id) for id in ids)
    return {
        key[1].removeprefix("TXN#"): RecordedTransaction(item["seq"], item["print"].hex())
        for key, item in items.items()
    }


def recorded_id_keys(store: Store, feed: Feed, ids: Iterable[str]) -> list[Key]:
    """The keys that tell which of the ids the feed has recorded, to be read ahead; none while the index is behind."""
    if feed.recorded_through == 0 or indexed_through(store, feed.id) < feed.recorded_through:
        return []
    return [keys.transaction(feed.id, id) for id in ids]


def indexed_through(store: Store, feed_id: str) -> int:
    item = store.table.get(keys.id_index(feed_id))
    return item["through"] if item else 0


def index_ids(store: Store, feed: Feed) -> None:
    """Indexes the ids of all lines that are not indexed yet. May be repeated.

    In small parts, each of which is done for good: what stopped the last attempt, a throttled table, may last.
    """
    start = indexed_through(store, feed.id) + 1
    while start <= feed.recorded_through:
        lines = read_lines(store, feed.id, start, min(1000, feed.recorded_through - start + 1))
        for part in range(0, len(lines), LINES_INDEXED_AGAIN):
            index_lines(store, feed.id, start + part, lines[part : part + LINES_INDEXED_AGAIN])
        start += len(lines)


def index_lines(store: Store, feed_id: str, first: int, lines: Sequence[Line]) -> None:
    """Indexes the ids of lines that directly follow the last one indexed."""
    store.table.put_many(_id_item(feed_id, first + offset, line) for offset, line in enumerate(lines))
    store.table.put_many([_index_item(feed_id, first + len(lines) - 1)])


def add_ids(feed_id: str, first: int, lines: Sequence[Line]) -> list[Put]:
    """The same as writes for the commit that adds a few lines: fails if one of the ids is already indexed."""
    id_writes = [Put(_id_item(feed_id, first + offset, line), ABSENT) for offset, line in enumerate(lines)]
    return [*id_writes, Put(_index_item(feed_id, first + len(lines) - 1))]


def _index_item(feed_id: str, through: int) -> Item:
    pk, sk = keys.id_index(feed_id)
    return {"pk": pk, "sk": sk, "through": through}


def _id_item(feed_id: str, sequence: int, line: Line) -> Item:
    pk, sk = keys.transaction(feed_id, line.id)
    # As bytes, half as long: there is one such item for each transaction that was ever recorded.
    return {"pk": pk, "sk": sk, "seq": sequence, "print": bytes.fromhex(line.fingerprint)}


def _index_keys(feed: Feed) -> dict[str, str]:
    """In its tenant's list, and in the due index while something waits, whoever has forgotten to say when to look."""
    look = feed.look or (feed.created if feed.waiting or feed.flight else None)
    return {"gsi1pk": keys.tenant(feed.tenant_id), "gsi1sk": feed.id} | due_keys(Kind.FEED, feed.id, look)
