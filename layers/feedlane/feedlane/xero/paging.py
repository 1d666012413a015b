"""Xero's paged lists, read to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

# Always sent: Xero's documentation states two different defaults, and its answers show a third.
PAGE_SIZE = 100

Item = dict[str, Any]


class Unreadable(Exception):
    """The list cannot be read to its end: nothing is known about the rest."""


def all_items(page: Callable[[dict[str, str]], Item], pages_max: int) -> Iterator[Item]:
    """All items of a list, each id once. `page` returns the object of one page. Raises `Unreadable`.

    Xero's documentation contradicts itself about the number of the first page. We take it to be 1. If the page that the
    count of pages calls the last is empty, it was 0, and that page is read too.
    """
    ids: set[str] = set()
    for number in range(1, pages_max + 1):
        items, count = _read(page, number)
        fresh = _fresh(items, ids)
        yield from fresh
        if not items and (count is None or number <= count):
            yield from _fresh(_read(page, 0)[0], ids)
            return
        # Xero answers a bad page number with the first page: a page without new items is the end.
        if not fresh or (count is not None and number >= count):
            return
    raise Unreadable


def page_query(number: int) -> dict[str, str]:
    return {"page": str(number), "pageSize": str(PAGE_SIZE)}


def page_count(answer: Item) -> int | None:
    """The number of pages, if the answer says it."""
    pagination = answer.get("pagination")
    count = pagination.get("pageCount") if isinstance(pagination, dict) else None
    return count if isinstance(count, int) else None


def items_in(answer: Item) -> list[Item]:
    return [item for item in answer.get("items", []) if isinstance(item, dict)]


def _read(page: Callable[[dict[str, str]], Item], number: int) -> tuple[list[Item], int | None]:
    """The items of a page, and the number of pages if the answer says it."""
    answer = page(page_query(number))
    return items_in(answer), page_count(answer)


def _fresh(items: list[Item], ids: set[str]) -> list[Item]:
    fresh = [item for item in items if str(item.get("id")) not in ids]
    ids |= {str(item.get("id")) for item in fresh}
    return fresh
