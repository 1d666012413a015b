"""The frozen request: exact amounts, the place it goes to, and the same bytes each time."""

from __future__ import annotations

import json
from decimal import Decimal

import httpx
import pytest

from feedlane.codat_upstream.push_json import FrozenPush, line_bytes, statement_request
from feedlane.money import loads
from tests.unit.codat_upstream.codat_server import ACCESS, ACCOUNT, PLACE, bank_feeds, line, operation, statement


def test_the_request_has_every_field_with_exact_amounts() -> None:
    request = statement_request(
        statement(
            line("t-1", "123456789012345.6789", "123456789012445.6789", payee="Bean & Co", reference="R 1"),
            line("t-2", "-0.10", "123456789012445.5789", type="Debit"),
        )
    )
    push = FrozenPush.of(request)
    assert push.place.feed_connection_id == PLACE
    assert b'"amount":123456789012345.6789,"balance":123456789012445.6789' in push.body
    body = loads(push.body)
    assert body["accountId"] == ACCOUNT
    assert body["transactions"][0] == {
        "id": "t-1", "date": "2026-06-14T00:00:00", "description": "Coffee", "counterparty": "Bean & Co",
        "reference": "R 1", "amount": Decimal("123456789012345.6789"), "balance": Decimal("123456789012445.6789"),
        "transactionType": "Credit",
    }  # fmt: skip
    assert body["transactions"][1]["amount"] == Decimal("-0.1")


def test_computed_balances_add_up_from_the_opening_balance() -> None:
    request = statement_request(statement(line("t-1", "5", "999"), line("t-2", "-2", "1000"), start="10"))
    assert [sent["balance"] for sent in json.loads(FrozenPush.of(request).body)["transactions"]] == [15, 13]


def test_the_same_statement_gives_the_same_bytes() -> None:
    assert statement_request(statement(line(), line("t-2"))) == statement_request(statement(line(), line("t-2")))


@pytest.mark.parametrize("description", ["", "é" * 3000, "\N{HOT BEVERAGE}", "\ud800", 'quote " and \\ and \n'])
def test_a_line_is_measured_as_it_is_written(description: str) -> None:
    one, two = line(description=description), line("t-2", "10.10", "120.20", description=description)
    difference = len(statement_request(statement(one, two))) - len(statement_request(statement(one)))
    assert difference == line_bytes(two)
    json.loads(FrozenPush.of(statement_request(statement(one))).body)


def test_the_push_goes_to_the_account_with_the_frozen_body_and_a_guid() -> None:
    requests: list[httpx.Request] = []

    def accept(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=operation())

    feeds, request = bank_feeds(accept), statement_request(statement(line()))
    for key in ("key-1", "key-1", "key-2"):
        feeds.post_statement(ACCESS, request, key)
    [first, again, other] = requests
    path = "/v1/companies/c0mpany/connections/c0nnection/push/bankAccounts/GB%2F12%203/bankTransactions"
    assert first.url.raw_path.decode() == path
    assert first.content == FrozenPush.of(request).body
    assert first.headers["content-type"] == "application/json"
    keys = [sent.headers["idempotency-key"] for sent in (first, again, other)]
    assert keys[0] == keys[1] != keys[2]
    assert all(len(key) == 36 and key.count("-") == 4 for key in keys)
