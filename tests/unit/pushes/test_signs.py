"""Signs, zeros and kinds of account, from the push to Xero's bytes: always from the customer's perspective."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from feedlane.companies.source_account import AccountKind
from feedlane.errors import Invalid
from feedlane.money import loads
from feedlane.pushes.content import parse_content
from feedlane.pushes.transaction import CREDIT_TYPES, DEBIT_TYPES, TRANSACTION_TYPES
from feedlane.statements.statement import NextStatement, next_statement
from feedlane.xero.statement_json import line_bytes, statement_request
from tests import builders
from tests.builders import NOW
from tests.worlds.feeds import World, transactions

TODAY = NOW.date()


def row(amount: Any, balance: Any, type: str = "Unknown", **more: Any) -> dict[str, Any]:
    return {"id": "t1", "date": "2026-05-01", "amount": amount, "balance": balance, "transactionType": type} | more


def sent(kind: AccountKind, *rows: dict[str, Any]) -> dict[str, Any]:
    """The statement of these rows, as Xero receives it."""
    content = parse_content([row | {"id": f"t{number}"} for number, row in enumerate(rows)], TODAY)
    assert content.errors == ()
    step = next_statement(builders.feed(kind=kind), content.lines, TODAY, line_bytes)
    assert isinstance(step, NextStatement)
    [statement] = loads(statement_request(step.statement))["items"]
    return dict(statement)


def money(part: dict[str, Any]) -> tuple[Decimal, str]:
    return Decimal(part["amount"]), part["creditDebitIndicator"]


@pytest.mark.parametrize(
    ("kind", "rows", "opening", "lines", "closing"),
    [
        (AccountKind.BANK, [row(-150, -50)], (100, "CREDIT"), [(150, "DEBIT")], (50, "DEBIT")),
        (AccountKind.BANK, [row(50, 0)], (50, "DEBIT"), [(50, "CREDIT")], (0, "CREDIT")),
        (AccountKind.BANK, [row(0, -5)], (5, "DEBIT"), [(0, "CREDIT")], (5, "DEBIT")),
        (AccountKind.BANK, [row(0, 0), row(Decimal("-0.00"), 0)], (0, "CREDIT"), [(0, "CREDIT")] * 2, (0, "CREDIT")),
        # A card purchase raises the debt; a repayment lowers it, and one that exceeds the debt leaves a credit.
        (AccountKind.CREDIT_CARD, [row(-20, -120)], (100, "DEBIT"), [(20, "DEBIT")], (120, "DEBIT")),
        (AccountKind.CREDIT_CARD, [row(120, 20)], (100, "DEBIT"), [(120, "CREDIT")], (20, "CREDIT")),
    ],
    ids=["into overdraft", "out of overdraft", "zero overdrawn", "only zeros", "card purchase", "card repayment"],
)
def test_directions_are_the_customers(
    kind: AccountKind, rows: list[dict[str, Any]], opening: Any, lines: Any, closing: Any
) -> None:
    statement = sent(kind, *rows)
    assert money(statement["startBalance"]) == opening
    assert [money(line) for line in statement["statementLines"]] == lines
    assert money(statement["endBalance"]) == closing


@pytest.mark.parametrize("type", sorted(TRANSACTION_TYPES))
def test_a_sign_that_contradicts_its_type_is_a_warning_and_the_sign_decides(type: str) -> None:
    for amount, contradicts in ((-5, type in CREDIT_TYPES), (5, type in DEBIT_TYPES), (0, False)):
        content = parse_content([row(amount, 100, type)], TODAY)
        assert [(warning.item_id, warning.validator) for warning in content.warnings] == [
            ("t1", "SignAndType")
        ] * contradicts
        [line] = sent(AccountKind.BANK, row(amount, 100, type))["statementLines"]
        assert money(line) == (abs(amount), "DEBIT" if amount < 0 else "CREDIT")


def test_the_warning_is_kept_with_the_operation_and_the_push_goes_through() -> None:
    world = World()
    [transaction] = transactions(1, amount=-10.0)
    operation = world.push([transaction | {"transactionType": "Credit"}])
    world.run()
    assert world.sent_ids() == ["t1"]
    [warning] = world.operation(operation.key).warnings
    assert (warning.item_id, warning.validator) == ("t1", "SignAndType")
    assert "-10 contradicts the type Credit" in warning.message


@pytest.mark.parametrize(("field", "length_max"), [("description", 2000), ("counterparty", 255), ("reference", 255)])
def test_a_text_is_refused_where_xero_would_not_take_it(field: str, length_max: int) -> None:
    world = World()
    with pytest.raises(Invalid) as caught:
        world.push([row(5, 5, **{field: "x" * (length_max + 1)})])
    assert [(finding.item_id, finding.validator) for finding in caught.value.findings] == [("t1", "MaximumLength")]
    world.push([row(5, 5, **{field: "x" * length_max})])
    world.run()
    assert world.sent_ids() == ["t1"]


def test_what_counts_double_at_xero_is_cut_to_its_length_and_never_in_half() -> None:
    [line] = sent(AccountKind.BANK, row(5, 5, counterparty="😀" * 255))["statementLines"]
    assert line["payeeName"] == "😀" * 127
    assert json.dumps(line).count("\\ud83d") == 127
