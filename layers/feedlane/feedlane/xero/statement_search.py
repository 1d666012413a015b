"""Finds a statement of ours among those that Xero lists, by the fields of its request: Xero stores no key of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from feedlane.feeds.upstream import Accepted, SearchPlace, StatementStatus
from feedlane.money import loads
from feedlane.text import encodable_json
from feedlane.xero.paging import Item, Unreadable, items_in, page_count

_NUMBER = re.compile(r"[0-9]{1,9}")
# The better of two statements has the lower rank. With rank 0 the search is over.
_FITS, _LACKS_LINES, _REJECTED = range(3)


def search(
    request: bytes, others: Collection[str], page: Item, place: SearchPlace, parse: Callable[[Item], Accepted | None]
) -> Accepted | SearchPlace | None:
    """The statement of this request, and none of `others`, if it is on this page; otherwise where to go on.

    At the end of the list, the second best if there is one: one that lacks lines or was rejected. A payment and its
    reversal restore a balance, so that two statements of a day may have the same identifying fields.

    As for every list (`paging.all_items`), pages may count from 0, and a bad number may answer with a page read before.
    """
    items, sent = items_in(page), loads(request)["items"][0]
    for item in items:
        found = None if item.get("id") in others else parse(item)
        rank = None if found is None else _rank(sent, item, found)
        if rank == _FITS:
            return found
        if rank is not None and (place.second_best is None or rank < place.rank):
            place = place.but(second_best=found, rank=rank)
    return _next_page(items, page_count(page), place) or place.second_best


def line_count(item: Item) -> int | None:
    """Xero's count comes as text or as a number. None if there is none that can be read."""
    count = str(item.get("statementLineCount"))
    return int(count) if _NUMBER.fullmatch(count) else None


def _next_page(items: list[Item], count: int | None, place: SearchPlace) -> SearchPlace | None:
    """The place after this page; None if it was the last."""
    if place.page == 0:
        return None
    if not items:
        return place.but(page=0) if count is None or place.page <= count else None
    first = str(items[0].get("id"))
    if first in (place.first, place.last) or (count is not None and place.page >= count):
        return None
    return place.but(page=place.page + 1, first=place.first or first, last=first)


def _rank(sent: Item, item: Item, found: Accepted) -> int | None:
    """How well a listed statement fits the one that was sent; None if it is another."""
    if _identifying_fields(sent) != _identifying_fields(item):
        return None
    count = len(sent["statementLines"])
    if found.lines is not None and not 0 < found.lines <= count:
        return None
    if found.status is StatementStatus.REJECTED:
        return _REJECTED
    return _FITS if found.lines in (None, count) else _LACKS_LINES


def parse_page(content: bytes) -> Item:
    """The object of a page, with exact amounts. Raises `Unreadable`."""
    try:
        value = encodable_json(loads(content))
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise Unreadable
    return value


def _identifying_fields(item: Item) -> tuple[Any, ...]:
    """The fields that a request shares with its entry in the list, which has no lines."""
    balances = (_signed_amount(item.get("startBalance")), _signed_amount(item.get("endBalance")))
    return str(item.get("feedConnectionId")).lower(), item.get("startDate"), item.get("endDate"), *balances


def _signed_amount(balance: Any) -> Decimal | None:
    """Amounts come as numbers or as strings."""
    if not isinstance(balance, dict):
        return None
    try:
        amount = Decimal(str(balance.get("amount")))
    except InvalidOperation:
        return None
    return -amount if str(balance.get("creditDebitIndicator")).upper() == "DEBIT" else amount
