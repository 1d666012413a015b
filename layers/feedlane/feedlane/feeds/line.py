"""A line of the ledger: a transaction as it is kept and sent."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from feedlane.ids import fingerprint
from feedlane.money import plain

_HALF = 16


class Line(NamedTuple):
    """One line of the ledger. `amount` is signed; `balance` is the account's balance after the line.

    A tuple, because a push has a thousand of them and a feed a million.
    """

    id: str
    date: str
    amount: Decimal
    balance: Decimal
    description: str
    payee: str
    reference: str
    type: str

    @property
    def fingerprint(self) -> str:
        """Equal for equal content: tells a transaction that is sent again from a different one with the same id.

        Its first half is equal for an equal date and amount, which are what Xero books.
        """
        return _fingerprint(self)

    def with_id_turn(self, turn: int) -> Line:
        """The line with another id, under which it is sent if the upstream keeps the ids of what it rejected."""
        return self._replace(id=f"{self.id}~{turn}")

    def as_strings(self) -> list[str]:
        id, date, amount, balance, description, payee, reference, type = self
        return [id, date, plain(amount), plain(balance), description, payee, reference, type]

    @classmethod
    def from_strings(cls, strings: list[str]) -> Line:
        id, date, amount, balance, description, payee, reference, type = strings
        return cls(id, date, Decimal(amount), Decimal(balance), description, payee, reference, type)


# A line is looked up by its fingerprint when it is appended, and written with it right after.
@lru_cache(maxsize=1000)
def _fingerprint(line: Line) -> str:
    id, date, amount, *rest = line.as_strings()
    return _half_print(id, date, amount) + _half_print(*rest)


def is_same_booking(one: str, other: str) -> bool:
    """Whether two fingerprints have the same date and amount."""
    return one[:_HALF] == other[:_HALF]


def text_length(line: Line) -> int:
    """The approximate number of characters in the line's texts."""
    return len(line.id) + len(line.description) + len(line.payee) + len(line.reference)


def _half_print(*strings: str) -> str:
    return fingerprint("\x1f".join(strings))[:_HALF]
