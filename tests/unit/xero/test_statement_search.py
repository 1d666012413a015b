"""Our statement is found among those that Xero lists, and an unreadable list proves nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from feedlane.feeds.line import Line
from feedlane.feeds.upstream import Statement
from feedlane.xero.paging import Unreadable
from feedlane.xero.statement_json import statement_request
from feedlane.xero.statement_search import find_match, parse_page

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


def test_a_statement_is_known_by_what_its_request_says() -> None:
    assert find_match(REQUEST, iter([LISTED | {"statementLineCount": "2"}, LISTED])) == LISTED


@pytest.mark.parametrize(
    "other",
    [
        {"feedConnectionId": "another"},
        {"endDate": "2026-05-02"},
        {"endBalance": {"amount": "123456789012345.6787", "creditDebitIndicator": "CREDIT"}},
        {"startBalance": {"amount": "123456789012345.6789", "creditDebitIndicator": "DEBIT"}},
        {"statementLineCount": "0"},
    ],
)
def test_another_statement_is_not_taken_for_ours(other: dict[str, Any]) -> None:
    assert find_match(REQUEST, iter([LISTED | other])) is None


def test_one_that_looks_the_same_and_is_known_to_be_another_is_not_ours() -> None:
    known_other = LISTED | {"id": "s0", "status": "DELIVERED"}
    assert find_match(REQUEST, iter([known_other, LISTED]), {"s0"}) == LISTED
    assert find_match(REQUEST, iter([known_other]), {"s0"}) is None


def test_one_that_was_taken_comes_before_one_that_was_rejected() -> None:
    rejected = LISTED | {"id": "s0", "status": "REJECTED"}
    assert find_match(REQUEST, iter([rejected, LISTED])) == LISTED
    assert find_match(REQUEST, iter([rejected])) == rejected


def test_amounts_may_be_numbers_with_every_digit() -> None:
    page = parse_page(b'{"items":[{"startBalance":{"amount":123456789012345.6789}}]}')
    assert page["items"][0]["startBalance"]["amount"] == Decimal("123456789012345.6789")


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b'{"items":null}', b"[" * 100_000])
def test_an_unreadable_page_is_no_empty_list(content: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_page(content)
