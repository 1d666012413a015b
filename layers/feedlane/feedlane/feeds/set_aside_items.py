"""How the lines that are never sent are kept: beside the feed's head, which only counts them.

A feed can have any number of them, while its head is read and written with every push. So whoever sets lines aside
writes pages of its own, in its commit. A page has lines of one block of the ledger only, so that a feed reads just the
pages of the blocks that its next statement is in.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from feedlane.clock import iso
from feedlane.feeds.feed import Feed, SetAside
from feedlane.feeds.ledger import RecordedTransaction
from feedlane.feeds.upstream import STATEMENT_LINES_MAX
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, ITEM_BYTES_MAX, Item, Put

BLOCK_LINES = 10_000


def add_set_aside(feed_id: str, lines: Sequence[SetAside]) -> list[Put]:
    """Pages of lines, in the order of their numbers, set aside at one time. None of them may be set aside yet."""
    blocks = groupby(lines, lambda line: _block_end(line.sequence))
    return [page for _, block in blocks for page in _pages(feed_id, list(block))]


def _pages(feed_id: str, lines: Sequence[SetAside]) -> list[Put]:
    page = zlib.compress(json.dumps([[line.sequence, line.transaction_id] for line in lines]).encode(), 1)
    if len(page) > ITEM_BYTES_MAX and len(lines) > 1:
        half = len(lines) // 2
        return _pages(feed_id, lines[:half]) + _pages(feed_id, lines[half:])
    pk, sk = keys.set_aside(feed_id, lines[-1].sequence)
    return [Put({"pk": pk, "sk": sk, "on": iso(lines[0].on), "lines": page}, ABSENT)]


def read_set_aside(store: Store, feed_id: str, after: int = 0) -> Iterator[SetAside]:
    """The lines set aside, from the first page that has one behind line `after`: page by page, each in order.

    Pages of different releases may overlap.
    """
    pk, start = keys.set_aside(feed_id, after + 1)
    for item in store.table.query(pk, start=start, end="ASIDE#~"):
        yield from _lines_in(item)


def set_aside_page(store: Store, feed_id: str, after: str, size: int) -> list[tuple[str, SetAside]]:
    """Up to `size` lines with their places, in the order of pages, from the place `after` on. Raises `ValueError`."""
    page, _, sequence = after.partition("#")
    last, passed = (int(page), int(sequence)) if after else (0, 0)
    pk, start = keys.set_aside(feed_id, last)
    found: list[tuple[str, SetAside]] = []
    for item in store.table.query(pk, start=start, end="ASIDE#~"):
        number = int(item["sk"].removeprefix("ASIDE#"))
        lines = [line for line in _lines_in(item) if number > last or line.sequence > passed]
        found += [(f"{number}#{line.sequence}", line) for line in lines]
        if len(found) >= size:
            break
    return found[:size]


def lines_never_sent(store: Store, feed: Feed, through: int = 0) -> frozenset[int]:
    """The numbers of the lines after `delivered_through` that are set aside. Reads nothing if there are none.

    At least as far as a statement can reach that begins behind line `through` and behind those set aside after it.
    """
    numbers: set[int] = set()
    passed, read = max(feed.delivered_through, through), feed.delivered_through
    while len(numbers) < feed.set_aside_ahead and read < min(passed + STATEMENT_LINES_MAX, feed.recorded_through):
        read, start = _block_end(read + 1), read
        numbers |= {number for number in _numbers_in(store, feed.id, start + 1, read) if number > start}
        while passed + 1 in numbers:
            passed += 1
    return frozenset(numbers)


def set_aside_among(store: Store, feed_id: str, first: int, last: int) -> frozenset[int]:
    """Those of the lines `first` to `last` that are set aside."""
    found = _numbers_in(store, feed_id, first, _block_end(last))
    return frozenset(number for number in found if first <= number <= last)


def with_set_aside(
    store: Store, feed: Feed, recorded: Mapping[str, RecordedTransaction]
) -> dict[str, RecordedTransaction]:
    """What is recorded of some ids, with which of them are set aside. Reads nothing if the feed has no such line."""
    if not recorded or not feed.set_aside:
        return dict(recorded)
    numbers = [one.sequence for one in recorded.values()]
    aside = set_aside_among(store, feed.id, min(numbers), max(numbers))
    return {id: replace(one, is_aside=one.sequence in aside) for id, one in recorded.items()}


def _numbers_in(store: Store, feed_id: str, first: int, last: int) -> Iterator[int]:
    """The numbers on the pages whose last line is one of `first` to `last`."""
    (pk, start), (_, end) = keys.set_aside(feed_id, first), keys.set_aside(feed_id, last)
    for page in store.table.query(pk, start=start, end=end):
        yield from (line.sequence for line in _lines_in(page))


def _block_end(number: int) -> int:
    """The last line of the block in which this line is."""
    return -(-number // BLOCK_LINES) * BLOCK_LINES


def _lines_in(page: Item) -> list[SetAside]:
    on = datetime.fromisoformat(page["on"])
    pairs = json.loads(zlib.decompress(page["lines"]))
    return [SetAside(sequence=sequence, transaction_id=id, on=on) for sequence, id in pairs]
