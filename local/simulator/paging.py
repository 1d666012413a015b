"""Paging of the Bank Feeds lists."""

from collections.abc import Mapping
from typing import Any

DEFAULT_PAGE_SIZE = 20


def page_of(
    items: list[Any], query: Mapping[str, str], first: int = 1, default_size: int = DEFAULT_PAGE_SIZE
) -> tuple[dict[str, int], list[Any]]:
    """Pages count from `first`. Anything but a number from there on means the first page, as Xero documents."""
    page = _number(query.get("page"), first, first)
    size = _number(query.get("pageSize"), 1, default_size)
    shown = items[(page - first) * size : (page - first + 1) * size]
    pagination = {
        "page": page,
        "pageCount": -(-len(items) // size),
        "pageSize": size,
        "itemCount": len(shown),
    }
    return pagination, shown


def _number(text: str | None, minimum: int, default: int) -> int:
    try:
        number = int(text or "")
    except ValueError:
        return default
    return number if number >= minimum else default
