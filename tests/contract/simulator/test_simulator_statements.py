"""Statements that are refused, and how."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.contract.simulator.driver import (
    BAKERY,
    JOINERY,
    STATEMENTS,
    Xero,
    credit,
    debit,
    new_feed,
    new_line,
    new_statement,
)

UNKNOWN_FEED = "0f0f0f0f-0000-4000-8000-00000000dead"


@pytest.fixture
def feed(xero: Xero) -> str:
    xero.connect(BAKERY)
    return xero.active_feed()


def rejected_type(answer: httpx.Response, status: int) -> str:
    """The type of a single rejected statement in the item shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (item,) = answer.json()["items"]
    assert item["status"] == "REJECTED"
    assert item["errors"][0]["status"] == status
    return str(item["errors"][0]["type"])


def root_type(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (set(answer.json()), answer.json()["status"]) == ({"type", "title", "status", "detail"}, status)
    return str(answer.json()["type"])


def test_size_in_bytes_is_checked_before_anything_in_the_body(xero: Xero, feed: str) -> None:
    answer = xero.call("POST", STATEMENTS, body=b"x" * 3_000_001)
    assert (root_type(answer, 413), answer.json()["title"], answer.json()["detail"]) == (
        "invalid-request",
        "Request too large",
        "Request size of 3000001 bytes exceeds the limit of 3000000 bytes.",
    )
    assert root_type(xero.call("POST", STATEMENTS, body=b"x" * 3_000_000), 400) == "invalid-request"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"items":[]}', b'{"items":[1]}', b'{"items":[NaN]}'])
def test_a_body_without_items_is_an_invalid_request(xero: Xero, feed: str, body: bytes) -> None:
    assert root_type(xero.call("POST", STATEMENTS, body=body), 400) == "invalid-request"


@pytest.mark.parametrize(
    ("field", "label", "longest"),
    [
        ("description", "Description", 2000),
        ("payeeName", "PayeeName", 255),
        ("reference", "Reference", 255),
        ("chequeNumber", "ChequeNumber", 20),
        ("transactionType", "TransactionType", 30),
    ],
)
def test_a_line_field_has_its_longest_length(xero: Xero, feed: str, field: str, label: str, longest: int) -> None:
    too_long = xero.post_statements(new_statement(feed, new_line(**{field: "x" * (longest + 1)})))
    assert root_type(too_long, 400) == "invalid-request"
    assert too_long.json()["detail"] == (
        f"For the request field 'StatementLine.{label}' exceeded the maximum length of {longest}."
    )
    assert xero.post_statements(new_statement(feed, new_line(**{field: "x" * longest}))).status_code == 202


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"feedConnectionId": "17"}, "FeedConnectionId"),
        ({"startDate": "14/06/2026"}, "StartDate"),
        ({"endDate": "2026-06-31"}, "EndDate"),
        ({"endDate": None}, "EndDate"),
        ({"startBalance": None}, "StartBalance"),
        ({"startBalance": {"amount": 1}}, "StartBalance.CreditDebitIndicator"),
        ({"startBalance": {"amount": "ten", "creditDebitIndicator": "CREDIT"}}, "StartBalance.Amount"),
        ({"endBalance": {"amount": 1, "creditDebitIndicator": "IN"}}, "EndBalance.CreditDebitIndicator"),
        ({"statementLines": None}, "StatementLines"),
        ({"statementLines": [new_line(postedDate=None)]}, "StatementLine.PostedDate"),
        ({"statementLines": [new_line(amount=True)]}, "StatementLine.Amount"),
        ({"statementLines": [new_line(amount=Decimal("0.00001"))]}, "StatementLine.Amount"),
        ({"statementLines": [new_line(amount=10**15)]}, "StatementLine.Amount"),
        ({"statementLines": [new_line(amount="NaN")]}, "StatementLine.Amount"),
        ({"statementLines": [new_line(transaction_id=None, transactionId=7)]}, "StatementLine.TransactionId"),
        ({"statementLines": [new_line(description=7)]}, "StatementLine.Description"),
    ],
)
def test_a_malformed_field_refuses_the_request_and_names_the_field(
    xero: Xero, feed: str, changes: dict[str, Any], label: str
) -> None:
    answer = xero.post_statements(new_statement(feed, **changes))
    assert root_type(answer, 400) == "invalid-request"
    assert f"'{label}'" in answer.json()["detail"]
    assert xero.received() == []


def test_one_malformed_statement_refuses_the_whole_request(xero: Xero, feed: str) -> None:
    good, bad = new_statement(feed), new_statement(feed, new_line("t-2", chequeNumber="1" * 21))
    assert root_type(xero.post_statements(good, bad), 400) == "invalid-request"
    assert xero.received() == []


def test_the_end_balance_must_be_the_start_plus_the_lines(xero: Xero, feed: str) -> None:
    answer = xero.post_statements(new_statement(feed, endBalance=credit("150.0001")))
    assert root_type(answer, 422) == "invalid-end-balance"
    assert answer.json()["detail"] == "End balance does not match start balance +/- statement line amounts."


def test_credits_add_debits_subtract_and_a_debit_balance_is_overdrawn(xero: Xero, feed: str) -> None:
    lines = [
        new_line("t-1", Decimal("0.1")),
        new_line("t-2", Decimal("0.2")),
        new_line("t-3", Decimal("10.5"), creditDebitIndicator="DEBIT"),
    ]
    statement = new_statement(feed, *lines, startBalance=credit(10), endBalance=debit(Decimal("0.2")))
    assert xero.post_statements(statement).status_code == 202
    (shown,) = xero.call("GET", STATEMENTS).json()["items"]
    assert shown["endBalance"] == {"amount": "0.2000", "creditDebitIndicator": "DEBIT"}


def test_amounts_may_be_strings(xero: Xero, feed: str) -> None:
    statement = new_statement(feed, new_line(amount="50.10"), startBalance=credit("100"), endBalance=credit("150.1"))
    assert xero.post_statements(statement).status_code == 202


def test_a_sign_is_ignored_unless_the_switch_refuses_it(xero: Xero, feed: str) -> None:
    signed = new_statement(feed, new_line(amount=-50, creditDebitIndicator="DEBIT"), endBalance=credit(50))
    assert xero.post_statements(signed).status_code == 202
    xero.control("PUT", "behaviour", {"signedAmounts": "refuse"})
    assert root_type(xero.post_statements(signed), 400) == "invalid-request"


def test_a_start_date_may_be_a_year_old_and_no_older(xero: Xero, feed: str) -> None:
    assert xero.post_statements(new_statement(feed, startDate="2025-06-15")).status_code == 202
    too_old = new_statement(feed, new_line("t-2"), startDate="2025-06-14")
    assert rejected_type(xero.post_statements(too_old), 422) == "invalid-start-date"


def test_an_end_date_may_be_today_and_no_later(xero: Xero, feed: str) -> None:
    assert xero.post_statements(new_statement(feed, endDate="2026-06-15")).status_code == 202
    future = new_statement(feed, new_line("t-2"), endDate="2026-06-16")
    assert rejected_type(xero.post_statements(future), 422) == "invalid-end-date"


def test_today_is_the_organisations_own(xero: Xero, feed: str) -> None:
    tomorrow_in_london = new_statement(feed, endDate="2026-06-16")
    assert rejected_type(xero.post_statements(tomorrow_in_london), 422) == "invalid-end-date"
    xero.control("PUT", f"orgs/{BAKERY}", {"timeZone": "Pacific/Auckland"})
    assert xero.post_statements(tomorrow_in_london).status_code == 202


def test_an_end_date_before_the_start_date_is_refused_at_the_root(xero: Xero, feed: str) -> None:
    answer = xero.post_statements(new_statement(feed, startDate="2026-06-14", endDate="2026-06-13"))
    assert root_type(answer, 422) == "invalid-start-and-end-date"
    assert answer.json()["detail"] == "The end date 2026-06-13 must be later than the start date 2026-06-14."


@pytest.mark.parametrize(("shape", "key"), [("items", "items"), ("root", "type")])
def test_a_switch_chooses_the_shape_of_every_rejection(xero: Xero, feed: str, shape: str, key: str) -> None:
    xero.control("PUT", "behaviour", {"rejections": shape})
    balance = xero.post_statements(new_statement(feed, endBalance=credit(1)))
    date = xero.post_statements(new_statement(feed, endDate="2026-06-16"))
    assert key in balance.json()
    assert key in date.json()


def test_an_unknown_pending_or_foreign_feed_connection_is_a_403(xero: Xero, feed: str) -> None:
    assert rejected_type(xero.post_statements(new_statement(UNKNOWN_FEED)), 403) == "invalid-feed-connection"
    pending = xero.post_feed(new_feed(accountToken="token-2", accountId=None, accountNumber="555"))
    not_yet = new_statement(pending.json()["items"][0]["id"])
    assert rejected_type(xero.post_statements(not_yet), 403) == "invalid-feed-connection"
    xero.connect(JOINERY)
    xero.control("PUT", f"orgs/{JOINERY}", {"bankFeeds": True})
    foreign = xero.post_statements(new_statement(feed), tenant=JOINERY)
    assert rejected_type(foreign, 403) == "invalid-feed-connection-for-organisation"
