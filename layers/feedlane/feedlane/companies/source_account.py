"""A source account: a bank account on the platform's side, and what it is mapped to."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from feedlane.problem import Problem
from feedlane.record import Record


class SourceAccountStatus(StrEnum):
    PENDING = "pending"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class AccountKind(StrEnum):
    """The kinds that Xero feeds. `BANK` is every bank account except a credit card."""

    BANK = "BANK"
    CREDIT_CARD = "CREDITCARD"


# Codat's first and second vocabulary. Xero has no kind for a loan: it is fed as BANK, because CREDITCARD takes only the
# last four digits of a card's number.
KIND_BY_ACCOUNT_TYPE = {
    "Debit": AccountKind.BANK,
    "Credit": AccountKind.CREDIT_CARD,
    "checking": AccountKind.BANK,
    "savings": AccountKind.BANK,
    "prepaidCard": AccountKind.BANK,
    "loan": AccountKind.BANK,
    "creditCard": AccountKind.CREDIT_CARD,
}


class LedgerBalance(NamedTuple):
    """The balance after the last transaction recorded, and that transaction's date."""

    amount: Decimal
    date: str


class AccountMapping(Record):
    """What a source account is mapped to: Xero's feed connection, and the account behind it once that is known.

    `feed_connection_id` is empty until there is one: Xero has refused it so far, or deletes the one before. `country`
    is empty unless Xero has demanded it.
    """

    feed_connection_id: str
    account_token: str
    target_account_id: str | None = None
    target_account_name: str | None = None
    feed_start_date: str | None = None
    country: str = ""


class SourceAccount(Record):
    """`balance` is the one that the platform gave with the account: it counts until its ledger has one.

    `given` is what the platform sent, echoed unchanged: Codat's SDKs choose their model by its fields.

    `problem` is why Xero refused the last feed connection; it goes when the account is mapped again. `wanted` is the
    mapping that Xero refused together with everything else of the app, the organisation or the feed: it is tried again
    once the hold that says so is released. `mapped_on` is when Xero last made, or finished, a feed connection for it.
    `look` is when the watch looks at what follows a mapping. `synthetic_balances` is the choice that its feed begins
    with: that of the feed which it had under a connection that was moved.
    """

    id: str
    connection_id: str
    company_id: str
    account_name: str
    account_type: str
    account_number: str
    currency: str
    balance: Decimal = Decimal(0)
    sort_code: str | None = None
    status: SourceAccountStatus = SourceAccountStatus.PENDING
    mapping: AccountMapping | None = None
    problem: Problem | None = None
    wanted: AccountMapping | None = None
    mapped_on: datetime | None = None
    modified: datetime
    given: dict[str, Any] = {}
    synthetic_balances: bool | None = None
    look: datetime | None = None
    version: int = 1

    @property
    def is_connected(self) -> bool:
        return self.status is SourceAccountStatus.CONNECTED

    @property
    def kind(self) -> AccountKind:
        return KIND_BY_ACCOUNT_TYPE.get(self.account_type, AccountKind.BANK)
