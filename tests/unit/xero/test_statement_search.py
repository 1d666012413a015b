"""Our statement is found among those that Xero lists, and an unreadable list proves nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from feedlane.feeds.line import Line
from feedlane.feeds.upstream import Accepted, SearchPlace, Statement
from feedlane.xero.bank_feeds import parse_accepted
from feedlane.xero.paging import PAGE_SIZE, Unreadable
from feedlane.xero.statement_json import statement_request
from feedlane.xero.statement_search import parse_page, search

LINE = Line("t1", "2026-05-01", Decimal("-0.0001"), Decimal("123456789012345.6788"), "Sale", "", "", "Credit")
REQUEST = statement_request(
    Statement(
        feed_connection_id="6a4b9ff5-3a5f-4321-936b-4796163550f6",
        start_date=date(2026, 5, 1),
        end_date=date(2026, 5, 1),
        start_balance=LINE.balance - LINE.amount,
        end_balance=LINE.balance,
        lines=(LINE,),
    )
)
LISTED = {
    "id": "s1",
    "feedConnectionId": "6A4B9FF5-3a5f-4321-936b-4796163550f6",
    "status": "PENDING",
    "startDate": "2026-05-01",
    "endDate": "2026-05-01",
    "startBalance": {"amount": "123456789012345.6789", "creditDebitIndicator": "CREDIT"},
    "endBalance": {"amount": "123456789012345.6788", "creditDebitIndicator": "CREDIT"},
    "statementLineCount": "1",
}


def find(
    listed: list[dict[str, Any]], others: Collection[str] = (), first: int = 1, counted: bool = True
) -> str | None:
    """The id of what is found in this list, whose pages count from `first`, by as many searches as it has pages."""
    place, pages = SearchPlace(began=datetime(2026, 6, 15, tzinfo=UTC)), -(-len(listed) // PAGE_SIZE)
    for _ in range(pages + 3):
        start = max(0, place.page - first) * PAGE_SIZE
        page: dict[str, Any] = {"items": listed[start : start + PAGE_SIZE]}
        if counted:
            page["pagination"] = {"pageCount": pages}
        found = search(REQUEST, others, page, place, parse_accepted)
        if not isinstance(found, SearchPlace):
            return found.statement_id if found else None
        place = SearchPlace.model_validate_json(found.model_dump_json())  # it is kept in the table
    raise AssertionError("the search does not end")


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    "length", [0, 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 150 * PAGE_SIZE, 150 * PAGE_SIZE + 7]
)
def test_a_list_of_any_length_is_read_to_its_end_from_place_to_place(length: int, first: int, counted: bool) -> None:
    other = [LISTED | {"id": f"other-{n}", "startDate": "2026-04-01"} for n in range(length)]
    assert find(other, first=first, counted=counted) is None
    assert find([*other, LISTED], first=first, counted=counted) == "s1"
    assert find([LISTED, *other], first=first, counted=counted) == "s1"


def test_a_server_that_shows_the_same_page_for_ever_ends_the_search() -> None:
    place = SearchPlace(began=datetime(2026, 6, 15, tzinfo=UTC))
    page = {"items": [LISTED | {"id": "other", "startDate": "2026-04-01"}]}
    place_2 = search(REQUEST, (), page, place, parse_accepted)
    assert isinstance(place_2, SearchPlace)
    assert search(REQUEST, (), page, place_2, parse_accepted) is None


def test_a_statement_is_known_by_what_its_request_says() -> None:
    assert find([LISTED | {"id": "s0", "startDate": "2026-04-30"}, LISTED]) == "s1"


@pytest.mark.parametrize("count", ["2", 2, None, "some"])
def test_the_number_of_lines_comes_in_any_type_or_not_at_all(count: object) -> None:
    two = Statement("fc", date(2026, 5, 1), date(2026, 5, 1), Decimal(0), Decimal(2), (LINE, LINE))
    item = {
        "id": "s1",
        "feedConnectionId": "fc",
        "status": "DELIVERED",
        "startDate": "2026-05-01",
        "endDate": "2026-05-01",
        "startBalance": {"amount": 0, "creditDebitIndicator": "CREDIT"},
        "endBalance": {"amount": "2.0000", "creditDebitIndicator": "CREDIT"},
        "statementLineCount": count,
    }
    place = SearchPlace(began=datetime(2026, 6, 15, tzinfo=UTC))
    found = search(statement_request(two), (), {"items": [item]}, place, parse_accepted)
    assert isinstance(found, Accepted)
    assert found.lines == (2 if str(count) == "2" else None)
    lacking = search(statement_request(two), (), {"items": [item | {"statementLineCount": 1}]}, place, parse_accepted)
    assert isinstance(lacking, SearchPlace)
    assert lacking.second_best is not None
    assert lacking.second_best.lines == 1


@pytest.mark.parametrize(
    "other",
    [
        {"feedConnectionId": "another"},
        {"endDate": "2026-05-02"},
        {"endBalance": {"amount": "123456789012345.6787", "creditDebitIndicator": "CREDIT"}},
        {"startBalance": {"amount": "123456789012345.6789", "creditDebitIndicator": "DEBIT"}},
        {"statementLineCount": "0"},
        {"statementLineCount": "2"},
    ],
)
def test_another_statement_is_not_taken_for_ours(other: dict[str, Any]) -> None:
    assert find([LISTED | other]) is None


def test_one_that_looks_the_same_and_is_known_to_be_another_is_not_ours() -> None:
    known_other = LISTED | {"id": "s0", "status": "DELIVERED"}
    assert find([known_other, LISTED], {"s0"}) == "s1"
    assert find([known_other], {"s0"}) is None


def test_one_that_was_taken_comes_before_one_that_was_rejected() -> None:
    rejected = LISTED | {"id": "s0", "status": "REJECTED"}
    assert find([rejected, LISTED]) == "s1"
    assert find([rejected]) == "s0"


def test_amounts_may_be_numbers_with_every_digit() -> None:
    page = parse_page(b'{"items":[{"startBalance":{"amount":123456789012345.6789}}]}')
    assert page["items"][0]["startBalance"]["amount"] == Decimal("123456789012345.6789")


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b'{"items":null}', b"[" * 100_000])
def test_an_unreadable_page_is_no_empty_list(content: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_page(content)
