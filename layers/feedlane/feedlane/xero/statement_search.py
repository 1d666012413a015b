"""Finds a statement of ours among those that Xero lists, by the fields of its request: Xero stores no key of ours."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from feedlane.money import loads
from feedlane.text import encodable_json

PAGE_SIZE = 100
PAGES_MAX = 100

Item = dict[str, Any]


class Unreadable(Exception):
    """The list cannot be read to its end: nothing is known about the rest."""


def find_match(request: bytes, listed: Iterator[Item], others: Collection[str] = ()) -> Item | None:
    """The statement of this request, and none of `others`. Prefers one that was not rejected.

    A payment and its reversal restore a balance: two statements of a day may have the same identifying fields.
    """
    identity = _identifying_fields(loads(request)["items"][0])
    matches = [item for item in listed if _identifying_fields(item) == identity and item.get("id") not in others]
    return min(matches, key=lambda item: str(item.get("status", "")).upper() == "REJECTED", default=None)


def parse_page(content: bytes) -> Item:
    """The object of a page, with exact amounts. Raises `Unreadable`."""
    try:
        value = encodable_json(loads(content))
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise Unreadable
    return value


def all_items(page: Callable[[dict[str, str]], Item]) -> Iterator[Item]:
    """All items of a paged list. `page` returns the object of one page. Raises `Unreadable`."""
    ids: set[str] = set()
    for number in range(1, PAGES_MAX + 1):
        answer = page({"page": str(number), "pageSize": str(PAGE_SIZE)})
        items = [item for item in answer.get("items", []) if isinstance(item, dict)]
        fresh = [item for item in items if str(item.get("id")) not in ids]
        ids |= {str(item.get("id")) for item in fresh}
        yield from fresh
        pages = (answer.get("pagination") or {}).get("pageCount")
        # Xero answers a bad page number with the first page: a page without new items is the end.
        if not fresh or (isinstance(pages, int) and number >= pages):
            return
    raise Unreadable


def _identifying_fields(item: Item) -> tuple[Any, ...]:
    """The fields that a request shares with its entry in the list, which has the number of lines but no lines."""
    lines = item.get("statementLines")
    count = len(lines) if isinstance(lines, list) else item.get("statementLineCount")
    balances = (_signed_amount(item.get("startBalance")), _signed_amount(item.get("endBalance")))
    return str(item.get("feedConnectionId")).lower(), item.get("startDate"), item.get("endDate"), *balances, str(count)


def _signed_amount(balance: Any) -> Decimal | None:
    """Amounts come as numbers or as strings."""
    if not isinstance(balance, dict):
        return None
    try:
        amount = Decimal(str(balance.get("amount")))
    except InvalidOperation:
        return None
    return -amount if str(balance.get("creditDebitIndicator")).upper() == "DEBIT" else amount
