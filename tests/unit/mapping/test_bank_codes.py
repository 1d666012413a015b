"""Account numbers with the code of their bank: two numbers of a platform are one at Xero, and become two again."""

from __future__ import annotations

from typing import Any

import pytest

from feedlane.companies.bank_codes import number_at_xero, split
from tests.builders import source_account


def at_xero(number: str, country: str = "GB", **fields: Any) -> str:
    return number_at_xero(source_account(account_number=number, **fields), country)


def routing(type: str | None, code: str, **fields: Any) -> dict[str, Any]:
    return {"given": {"routingInfo": {"type": type, "bankCode": code}}} | fields


@pytest.mark.parametrize("code", ["20-45-45", "204545", "20 45 45"])
@pytest.mark.parametrize("number", ["55779911", "5577 9911", "20454555779911", "20-45-45 55779911"])
def test_a_sort_code_is_in_front_once_however_it_was_written(code: str, number: str) -> None:
    assert at_xero(number, sort_code=code) == "20454555779911"
    assert at_xero(number, **routing("sortcode", code)) == "20454555779911"


@pytest.mark.parametrize(
    ("number", "country", "fields", "expected"),
    [
        ("12345678", "AU", routing("bsb", "062-000", currency="AUD"), "06200012345678"),
        ("06200012345678", "AU", routing("bsb", "062-000", currency="AUD"), "06200012345678"),
        ("0171323-50", "NZ", routing("nz2", "12-3140", currency="NZD"), "123140017132350"),
        ("12-3140-0171323-50", "NZ", routing("nz2", "12-3140", currency="NZD"), "123140017132350"),
        ("0171323-50", "NZ", {"sort_code": "12-3140"}, "123140017132350"),
        ("12345678", "", routing("bankcode", "062000", currency="AUD"), "06200012345678"),
        ("12345678", "", routing(None, "204545"), "20454512345678"),
        ("88112233", "GB", {"sort_code": "204545", "currency": "EUR"}, "20454588112233"),
    ],
)
def test_a_bsb_and_a_bank_and_branch_are_in_front_too(
    number: str, country: str, fields: dict[str, Any], expected: str
) -> None:
    assert at_xero(number, country, **fields) == expected


def test_a_number_that_only_happens_to_begin_with_the_code_gets_it_in_front() -> None:
    assert at_xero("20454599", sort_code="204545") == "20454520454599"


def test_a_short_british_number_is_filled_up_with_zeros() -> None:
    assert at_xero("779911", sort_code="204545") == "20454500779911"


@pytest.mark.parametrize(
    ("number", "country", "fields"),
    [
        ("5577-9911", "GB", {}),
        ("123456789", "US", routing("aba", "021000021")),
        ("123456789", "US", {"sort_code": "204545"}),
        ("GB29NWBK60161331926819", "GB", {"sort_code": "601613"}),
        ("12345678", "GB", {"sort_code": "not a code"}),
        ("12345678", "GB", routing("swift", "204545")),
        ("4111111111114242", "GB", {"sort_code": "204545", "account_type": "creditCard"}),
    ],
)
def test_a_number_whose_code_xero_does_not_put_in_front_stays_as_it_was(
    number: str, country: str, fields: dict[str, Any]
) -> None:
    assert at_xero(number, country, **fields) == number


@pytest.mark.parametrize(
    ("number", "country", "parts"),
    [
        ("20454555779911", "GB", ("204545", "55779911")),
        ("20-45-45 55779911", "GB", ("204545", "55779911")),
        ("06200012345678", "AU", ("", "06200012345678")),
        ("55779911", "GB", ("", "55779911")),
        ("takings@example", "GB", ("", "takings@example")),
        ("20454555779911", "", ("", "20454555779911")),
    ],
)
def test_only_a_british_number_of_14_digits_is_split(number: str, country: str, parts: tuple[str, str]) -> None:
    assert split(number, country) == parts
