"""Realistic transactions for every benchmark."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

_PAYEES = ("Ridgeway Supplies Ltd", "CARD 4471 TESCO STORES 3312", "Müller & Söhne GmbH", "HMRC VAT", "J O'Neill")
_TYPES = ("Debit", "Pos", "Payment", "DirectDebit", "Other")


def transactions(count: int, start: int = 1, last_day: date | None = None, tag: str = "t") -> list[dict[str, Any]]:
    """`count` consecutive transactions of a feed that began at 0.00, numbered from `start`, oldest first.

    Each has a description of some 40 characters, a payee, a reference and an id as long as a UUID: about 300 bytes of
    JSON, no two alike. All are of the same day, so that any number can follow any other.
    """
    day = (last_day or date.today() - timedelta(days=1)).isoformat()  # noqa: DTZ011
    return [_transaction(number, day, tag) for number in range(start, start + count)]


def _transaction(number: int, day: str, tag: str) -> dict[str, Any]:
    kind = number % len(_PAYEES)
    return {
        "id": f"{tag}-6f0c2a94-51d7-4b7e-9c1d-{number:012d}",
        "date": f"{day}T09:30:00",
        "description": f"Payment {number:08d} order {number * 7919 % 1_000_003:07d} of May",
        "counterparty": _PAYEES[kind],
        "reference": f"INV-{number * 104_729 % 9_999_991:07d}",
        "amount": float(_amount(number)),
        "balance": float(_balance(number)),
        "transactionType": "Credit" if _amount(number) > 0 else _TYPES[kind],
    }


def _amount(number: int) -> Decimal:
    """-24.99 to 24.95, in odd steps, so that sums have pence."""
    return Decimal(number * 37 % 4995 - 2499) / 100


_sums: list[Decimal] = [Decimal(0)]


def _balance(number: int) -> Decimal:
    while len(_sums) <= number:
        _sums.append(_sums[-1] + _amount(len(_sums)))
    return _sums[number]
