"""Looking for a statement of ours among those that Xero has, by what its request says: it has no other name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from feedlane.money import loads

PAGE_SIZE = 100
PAGES_MAX = 100

Item = dict[str, Any]


class Unreadable(Exception):
    """The list cannot be read to its end: nothing is known of what it does not show."""


def find_match(request: bytes, listed: Iterator[Item], others: Collection[str] = ()) -> Item | None:
    """The statement of this request, and none of `others`: one that was not rejected before one that was.

    A payment and its reversal bring a balance back: two statements of a day may have all their marks in common.
    """
    wanted = _identifying_fields(loads(request)["items"][0])
    found = [item for item in listed if _identifying_fields(item) == wanted and item.get("id") not in others]
    return min(found, key=lambda item: str(item.get("status", "")).upper() == "REJECTED", default=None)


def parse_page(content: bytes) -> Item:
    """The object of a page, with every amount exactly as it is. Raises `Unreadable`."""
    try:
        value = loads(content)
    except ValueError:
        raise Unreadable from None
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise Unreadable
    return value


def all_items(page: Callable[[dict[str, str]], Item]) -> Iterator[Item]:
    """All items of a list that comes in pages. `page` answers the object of one. Raises `Unreadable`."""
    seen: set[str] = set()
    for number in range(1, PAGES_MAX + 1):
        answer = page({"page": str(number), "pageSize": str(PAGE_SIZE)})
        items = [item for item in answer.get("items", []) if isinstance(item, dict)]
        fresh = [item for item in items if str(item.get("id")) not in seen]
        seen |= {str(item.get("id")) for item in fresh}
        yield from fresh
        last = (answer.get("pagination") or {}).get("pageCount")
        # Xero gives the first page for a bad page number: a page without new items is the end.
        if not fresh or (isinstance(last, int) and number >= last):
            return
    raise Unreadable


def _identifying_fields(item: Item) -> tuple[Any, ...]:
    """What a request and its entry in the list have in common. The list has no lines, only how many there are."""
    lines = item.get("statementLines")
    count = len(lines) if isinstance(lines, list) else item.get("statementLineCount")
    ends = (_signed_amount(item.get("startBalance")), _signed_amount(item.get("endBalance")))
    return str(item.get("feedConnectionId")).lower(), item.get("startDate"), item.get("endDate"), *ends, str(count)


def _signed_amount(balance: Any) -> Decimal | None:
    """Amounts come as numbers or as texts."""
    if not isinstance(balance, dict):
        return None
    try:
        amount = Decimal(str(balance.get("amount")))
    except InvalidOperation:
        return None
    return -amount if str(balance.get("creditDebitIndicator")).upper() == "DEBIT" else amount
