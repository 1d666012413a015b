"""Account numbers with the code of their bank and branch: a platform gives two numbers, Xero knows one.

In Xero the number of a British account is its sort code and its account number, of an Australian one BSB and number,
and of one in New Zealand bank, branch, number and suffix. Elsewhere the number stands alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from feedlane.companies.source_account import AccountKind, SourceAccount

CODE_DIGITS = 6
BRITISH_NUMBER_DIGITS = 8
BRITISH_COUNTRIES = frozenset({"GB", "GG", "IM", "JE"})
# The most digits of a number without its code: one that is longer and begins with the code contains it.
_OWN_DIGITS_MAX = {"GB": BRITISH_NUMBER_DIGITS, "AU": 9, "NZ": 10}
_COUNTRY_BY_CODE_TYPE = {"sortcode": "GB", "bsb": "AU", "apca": "AU", "nz2": "NZ"}
_COUNTRY_BY_COUNTRY = dict.fromkeys(BRITISH_COUNTRIES | {"IE"}, "GB") | {"AU": "AU", "NZ": "NZ"}
_COUNTRY_BY_CURRENCY = {"GBP": "GB", "AUD": "AU", "NZD": "NZ"}
# Codat's default for a routing number whose type nobody has given.
_UNKNOWN_TYPES = frozenset({"", "bankcode"})
_SEPARATORS = re.compile(r"[\s./\u2010-\u2015-]")


class SplitNumber(NamedTuple):
    """An account's number as a platform knows it. `code` is empty if the number has none."""

    code: str
    number: str


def number_at_xero(account: SourceAccount, tenant_country: str = "") -> str:
    """The account's number as Xero writes it: with the code in front, once, and without separators.

    It stays as it was given if there is no code, or none that Xero puts in front. `tenant_country` decides where the
    account does not say what kind of code it has.
    """
    number = _SEPARATORS.sub("", account.account_number)
    code, country = _code_of(account, tenant_country)
    if not code or not (number.isascii() and number.isdigit()):
        return account.account_number
    if number.startswith(code) and len(number) > _OWN_DIGITS_MAX[country]:
        return number
    # British numbers with fewer digits are written with zeros in front (Bacs).
    return code + (number.zfill(BRITISH_NUMBER_DIGITS) if country == "GB" else number)


def split(number_at_xero: str, tenant_country: str) -> SplitNumber:
    """A number from Xero as a platform writes it. Only British numbers are divided at a place that is known."""
    digits = _SEPARATORS.sub("", number_at_xero)
    is_digits = digits.isascii() and digits.isdigit()
    if not is_digits or len(digits) != CODE_DIGITS + BRITISH_NUMBER_DIGITS or tenant_country not in BRITISH_COUNTRIES:
        return SplitNumber("", number_at_xero)
    return SplitNumber(digits[:CODE_DIGITS], digits[CODE_DIGITS:])


def _code_of(account: SourceAccount, tenant_country: str) -> tuple[str, str]:
    """The code, and the country whose rules it follows. The code is empty if Xero puts none in front."""
    routing = account.given.get("routingInfo") or {}
    given = account.sort_code or str(routing.get("bankCode") or "")
    code = _SEPARATORS.sub("", given)
    type = "" if account.sort_code else str(routing.get("type") or "").lower()
    country = _COUNTRY_BY_CODE_TYPE.get(type, "")
    if not country and type in _UNKNOWN_TYPES:
        country = _COUNTRY_BY_COUNTRY.get(tenant_country or "", "")
        if not tenant_country:
            country = _COUNTRY_BY_CURRENCY.get(account.currency, "")
    is_code = len(code) == CODE_DIGITS and code.isascii() and code.isdigit()
    if not is_code or not country or account.kind is AccountKind.CREDIT_CARD:
        return "", ""
    return code, country
