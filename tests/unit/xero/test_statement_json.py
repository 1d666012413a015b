"""A statement as Xero's JSON: exact, the same each time, and within Xero's lengths."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedlane.feeds.line import Line
from feedlane.feeds.upstream import Statement
from feedlane.money import loads
from feedlane.xero.statement_json import line_bytes, statement_request
from tests.work import calls


def line(**changes: Any) -> Line:
    template = Line("t-1", "2026-06-01", Decimal("-40.25"), Decimal("59.75"), "Coffee", "Beans Ltd", "INV-1", "Debit")
    return template._replace(**changes)


def statement(*lines: Line, start: str = "100", end: str = "59.75") -> Statement:
    return Statement("f-1", date(2026, 6, 1), date(2026, 6, 2), Decimal(start), Decimal(end), lines)


def only(request: bytes) -> dict[str, Any]:
    [item] = loads(request)["items"]
    return dict(item)


def test_a_statement_is_written_as_xeros_specification_shows_it() -> None:
    assert statement_request(statement(line())) == (
        b'{"items":[{"feedConnectionId":"f-1","startDate":"2026-06-01","endDate":"2026-06-02",'
        b'"startBalance":{"amount":100,"creditDebitIndicator":"CREDIT"},'
        b'"endBalance":{"amount":59.75,"creditDebitIndicator":"CREDIT"},'
        b'"statementLines":[{"postedDate":"2026-06-01","description":"Coffee","amount":40.25,'
        b'"creditDebitIndicator":"DEBIT","transactionId":"t-1","payeeName":"Beans Ltd","reference":"INV-1",'
        b'"transactionType":"Debit"}]}]}'
    )


def test_what_is_empty_is_left_out() -> None:
    [sent] = only(statement_request(statement(line(description="", payee="", reference="", type=""))))["statementLines"]
    assert set(sent) == {"postedDate", "amount", "creditDebitIndicator", "transactionId"}


@pytest.mark.parametrize(
    ("amount", "digits", "indicator"),
    [
        ("0", "0", "CREDIT"),
        ("-0.00", "0", "CREDIT"),
        ("0.0001", "0.0001", "CREDIT"),
        ("-0.10", "0.1", "DEBIT"),
        ("999999999999999.9999", "999999999999999.9999", "CREDIT"),
        ("-999999999999999.9999", "999999999999999.9999", "DEBIT"),
        ("1E+3", "1000", "CREDIT"),
        ("123456789012345.1", "123456789012345.1", "CREDIT"),
    ],
)
def test_an_amount_is_an_unsigned_exact_number_and_its_direction_a_word(
    amount: str, digits: str, indicator: str
) -> None:
    sent = statement_request(statement(line(amount=Decimal(amount)), start=amount, end=amount))
    expected = f'"amount":{digits},"creditDebitIndicator":"{indicator}"'.encode()
    assert sent.count(expected) == 3


@given(
    amount=st.decimals(Decimal("-999999999999999.9999"), Decimal("999999999999999.9999"), places=4),
    text=st.text(max_size=300),
)
def test_whatever_was_recorded_is_read_back_as_it_was(amount: Decimal, text: str) -> None:
    request = statement_request(statement(line(amount=amount, description=text), line(id=text or "x")))
    [first, second] = only(request)["statementLines"]
    signed = Decimal(first["amount"]) * (-1 if first["creditDebitIndicator"] == "DEBIT" else 1)
    assert signed == amount
    assert first.get("description", "") == text
    assert second["transactionId"] == (text or "x")


def test_the_same_statement_gives_the_same_bytes() -> None:
    lines = [line(id=f"t-{number}", amount=Decimal(number) / 100) for number in range(1000)]
    assert statement_request(statement(*lines)) == statement_request(statement(*lines))


@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=5))
def test_the_bytes_of_lines_add_up_to_the_bytes_of_the_statement(texts: list[str]) -> None:
    lines = [line(id=f"t-{number}", description=text, payee=text) for number, text in enumerate(texts)]
    empty = len(statement_request(statement()))
    assert len(statement_request(statement(*lines))) == empty + sum(map(line_bytes, lines)) - 1


def test_texts_are_cut_to_xeros_lengths() -> None:
    long = line(description="d" * 2001, payee="p" * 256, reference="r" * 256, type="t" * 31)
    [sent] = only(statement_request(statement(long)))["statementLines"]
    lengths = [len(sent[name]) for name in ("description", "payeeName", "reference", "transactionType")]
    assert lengths == [2000, 255, 255, 30]


def test_texts_end_within_no_character() -> None:
    long = line(description="👩‍🚀" * 401, payee="👍🏽" * 64, reference="🇬🇧" * 64)
    [sent] = only(statement_request(statement(long)))["statementLines"]
    assert (sent["description"], sent["payeeName"]) == ("👩‍🚀" * 400, "👍🏽" * 63)
    assert sent["reference"] == "🇬🇧" * 63


def test_a_lone_surrogate_does_not_stop_a_feed() -> None:
    [sent] = only(statement_request(statement(line(description="a\ud800b"))))["statementLines"]
    assert sent["description"] == "a?b"


def test_quotes_and_control_characters_are_escaped() -> None:
    description = 'say "hi"\\\n\x00\u2028</script>'
    [sent] = json.loads(statement_request(statement(line(description=description))))["items"][0]["statementLines"]
    assert sent["description"] == description


def test_a_line_takes_no_more_work_in_a_full_statement() -> None:
    """`make bench ONLY=compute` has the time that a full statement takes."""
    short, full = (statement(*[line(id=f"{count}-{number}") for number in range(count)]) for count in (100, 1000))
    assert calls(lambda: statement_request(full)) <= 10 * calls(lambda: statement_request(short))
