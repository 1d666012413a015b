"""A list is read to its end, whatever number its first page has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from feedlane.xero.paging import PAGE_SIZE, Unreadable, all_items


class Listed:
    """A list of so many items, whose pages count from `first`; without a count of pages if `counted` is false."""

    def __init__(self, length: int, first: int = 1, counted: bool = True) -> None:
        self.length, self.first, self.counted = length, first, counted
        self.asked: list[int] = []

    def __call__(self, params: dict[str, str]) -> dict[str, Any]:
        number, size = int(params["page"]), int(params["pageSize"])
        self.asked.append(number)
        start = max(0, number - self.first) * size
        items = [{"id": str(n)} for n in range(start, min(self.length, start + size))]
        return {"items": items} | ({"pagination": {"pageCount": -(-self.length // size)}} if self.counted else {})


def read(page: Callable[[dict[str, str]], dict[str, Any]]) -> list[str]:
    return [item["id"] for item in all_items(page, 10)]


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("length", [0, 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE, 3 * PAGE_SIZE + 1])
def test_every_item_is_read_once(length: int, first: int, counted: bool) -> None:
    assert sorted(map(int, read(Listed(length, first, counted)))) == list(range(length))


@pytest.mark.parametrize(("length", "asked"), [(0, [1]), (1, [1]), (PAGE_SIZE + 1, [1, 2])])
def test_no_page_is_asked_for_in_vain_where_pages_count_from_1(length: int, asked: list[int]) -> None:
    listed = Listed(length)
    read(listed)
    assert listed.asked == asked


def test_a_list_without_an_end_is_not_taken_as_read() -> None:
    with pytest.raises(Unreadable):
        read(lambda params: {"items": [{"id": params["page"]}], "pagination": {"pageCount": 11}})


@pytest.mark.parametrize("pagination", [None, [], {"pageCount": "1"}])
def test_a_page_that_repeats_is_the_end(pagination: Any) -> None:
    assert read(lambda params: {"items": [{"id": "1"}], "pagination": pagination}) == ["1"]
