"""Paging of the Bank Feeds lists."""

from collections.abc import Mapping
from typing import Any

DEFAULT_PAGE_SIZE = 20


def page_of(items: list[Any], query: Mapping[str, str]) -> tuple[dict[str, int], list[Any]]:
    """Pages count from 1. Anything but a positive number means the first page, as Xero documents."""
    page = _positive(query.get("page"), 1)
    size = _positive(query.get("pageSize"), DEFAULT_PAGE_SIZE)
    shown = items[(page - 1) * size : page * size]
    pagination = {
        "page": page,
        "pageCount": -(-len(items) // size),
        "pageSize": size,
        "itemCount": len(shown),
    }
    return pagination, shown


def _positive(text: str | None, default: int) -> int:
    try:
        number = int(text or "")
    except ValueError:
        return default
    return number if number > 0 else default
