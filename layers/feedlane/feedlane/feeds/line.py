"""A line of the ledger: a transaction as it is kept and sent."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from feedlane.ids import fingerprint
from feedlane.money import plain


class Line(NamedTuple):
    """One line of the ledger. `amount` is signed, `balance` is the account's after the line.

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
        """The same for the same content: how a transaction sent again is told from another with its id."""
        return fingerprint("\x1f".join(self.as_strings()))[:32]

    def as_strings(self) -> list[str]:
        id, day, sum, balance, description, payee, reference, type = self
        return [id, day, plain(sum), plain(balance), description, payee, reference, type]

    @classmethod
    def from_strings(cls, texts: list[str]) -> Line:
        id, day, sum, balance, description, payee, reference, type = texts
        return cls(id, day, Decimal(sum), Decimal(balance), description, payee, reference, type)


def text_length(line: Line) -> int:
    """About how many characters the line's texts have together."""
    return len(line.id) + len(line.description) + len(line.payee) + len(line.reference)
