"""Money keeps every digit, and what is not an amount is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedlane import money

AMOUNTS = st.decimals("-999999999999999", "999999999999999", places=4)


@given(AMOUNTS)
def test_an_amount_survives_the_wire_to_the_last_digit(amount: Decimal) -> None:
    assert money.loads(money.dumps({"amount": amount}))["amount"] == amount


@given(AMOUNTS)
def test_plain_is_a_json_number_without_exponent(amount: Decimal) -> None:
    text = money.plain(amount)
    assert "e" not in text.lower()
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == amount


@pytest.mark.parametrize(
    "value", ["ten", "1e999", "NaN", "Infinity", True, None, [], "1.00001", 1e15 * 10, "1_000", "١٢", " 5 ", "", "1."]
)
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must"):
        money.amount(Decimal(str(value)) if isinstance(value, float) else value)


def test_constants_that_json_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        money.loads('{"amount": NaN}')


@pytest.mark.parametrize("number", ["1e99999999999999999999", "-1E-99999999999999999999"])
def test_an_exponent_that_no_decimal_can_have_is_refused_as_other_bad_json(number: str) -> None:
    with pytest.raises(ValueError, match="exponent"):
        money.loads(f'{{"amount": {number}}}')


def test_an_exponent_is_read_as_the_number_it_is() -> None:
    assert money.amount(money.loads("1.25e2")) == Decimal(125)
