"""How the lines that are never sent are kept: beside the feed's head, which only counts them.

A release can set a thousand lines aside, and a feed can have many releases, while its head is read and written with
every push. So each release writes pages of its own, in its commit, and only a feed with such lines ahead reads them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from feedlane.clock import iso
from feedlane.feeds.feed import Feed, SetAside
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import ABSENT, ITEM_BYTES_MAX, Item, Put


def add_set_aside(feed_id: str, lines: Sequence[SetAside]) -> list[Put]:
    """Pages of lines, in the order of their numbers, that one release sets aside. None of them may be set aside yet."""
    if not lines:
        return []
    page = zlib.compress(json.dumps([[line.sequence, line.transaction_id] for line in lines]).encode(), 1)
    if len(page) > ITEM_BYTES_MAX and len(lines) > 1:
        half = len(lines) // 2
        return add_set_aside(feed_id, lines[:half]) + add_set_aside(feed_id, lines[half:])
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


def lines_never_sent(store: Store, feed: Feed) -> frozenset[int]:
    """The numbers of the lines after `delivered_through` that are set aside. Reads nothing if there are none."""
    if not feed.set_aside_ahead:
        return frozenset()
    lines = read_set_aside(store, feed.id, feed.delivered_through)
    return frozenset(line.sequence for line in lines if line.sequence > feed.delivered_through)


def _lines_in(page: Item) -> list[SetAside]:
    on = datetime.fromisoformat(page["on"])
    pairs = json.loads(zlib.decompress(page["lines"]))
    return [SetAside(sequence=sequence, transaction_id=id, on=on) for sequence, id in pairs]
