"""The rules of a ledger that operators may choose: they come from the settings, and from the feed itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChangedTransactions(StrEnum):
    """What a known id with other content is: an error that refuses its push, or a warning."""

    REFUSE = "Refuse"
    """Any change is an error."""
    REFUSE_AMOUNTS = "RefuseAmounts"
    """Another amount or date is an error; other texts, another type or balance are a warning."""
    WARN = "Warn"
    """Any change is a warning."""


@dataclass(frozen=True)
class Rules:
    """`synthetic_balances`: those sent are computed from the amounts, so nothing is concluded from those given."""

    gap_is_error: bool = False
    changed_transactions: ChangedTransactions = ChangedTransactions.REFUSE_AMOUNTS
    synthetic_balances: bool = False
