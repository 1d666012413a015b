"""Finds a statement of ours among those that Xero lists, by the fields of its request: Xero stores no key of ours."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from feedlane.money import loads
from feedlane.text import encodable_json
from feedlane.xero.paging import Item, Unreadable

PAGES_MAX = 100


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
