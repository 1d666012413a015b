"""Creates and changes the source accounts of a connection."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import (
    KIND_BY_ACCOUNT_TYPE,
    AccountKind,
    LedgerBalance,
    SourceAccount,
    SourceAccountStatus,
)
from feedlane.errors import Invalid, require_all
from feedlane.ids import ACCOUNT_ID_PATTERN
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed, Contended
from feedlane.text import CONTROL_RULE, has_controls

ID_TAKEN = "A bank account already exists with the same Id"
BATCH_ACCOUNTS_MAX = 100
# All of a connection's accounts are one answer: Codat's list of them has no pages.
ACCOUNTS_MAX = 200
ACCOUNT_NUMBER_LENGTH_MAX = 40
# Codat's paths use these words in place of an account's id.
RESERVED_IDS = frozenset({"batch", "credentials"})
_CURRENCY = re.compile(r"[A-Z]{3}")
_CARD_NUMBER = re.compile(r".*[0-9]{4}")
_READ_ONLY_FIELDS = {
    "id": "id",
    "account_type": "accountType",
    "account_number": "accountNumber",
    "currency": "currency",
    "sort_code": "sortCode",
}
ID_RULE = "must be 1 to 80 characters: letters, digits and !#$&'()*+,-./:;=@_~ (no spaces, no percent sign)"


class AccountAlreadyExists(Invalid):
    """The connection has an account with this id already."""


def create(
    store: Store,
    now: datetime,
    connection: Connection,
    *,
    id: str,
    account_name: str,
    account_type: str,
    account_number: str,
    currency: str,
    balance: Decimal,
    sort_code: str | None,
    given: dict[str, Any],
) -> SourceAccount:
    """Raises `Invalid` with the field and the rule, and `AccountAlreadyExists`."""
    check(id, account_name, account_type, account_number, currency)
    account = SourceAccount(
        id=id,
        connection_id=connection.id,
        company_id=connection.company_id,
        account_name=account_name,
        account_type=account_type,
        account_number=account_number,
        currency=currency,
        balance=balance,
        sort_code=sort_code,
        modified=now,
        given=given,
    )
    for attempt in attempts(f"the accounts of connection {connection.id}"):
        with attempt:  # others may be created at the same time
            _add(store, account)
    return account


def require_currency(currency: str) -> None:
    """Raises `Invalid`."""
    if not _CURRENCY.fullmatch(currency):
        raise Invalid.field("currency", "must be an ISO 4217 code such as GBP", "Currency")


def check(id: str, account_name: str, account_type: str, account_number: str, currency: str) -> None:
    """Raises `Invalid` with everything that is wrong with a new account."""
    require_all(
        lambda: _check_id(id),
        lambda: _check_text("accountName", account_name, 255),
        lambda: _check_number(account_type, account_number),
        lambda: require_currency(currency),
    )


def _add(store: Store, account: SourceAccount) -> None:
    try:
        store.commit(*company_items.add_counted_account(account, ACCOUNTS_MAX))
    except Contended:
        raise
    except ConditionFailed as failed:
        if keys.source_account(account.connection_id, account.id) in failed.keys:
            raise AccountAlreadyExists.field("id", ID_TAKEN, "Unique") from None
        message = f"cannot be added: a connection has at most {ACCOUNTS_MAX} accounts, and a company can have several"
        raise Invalid.field("id", message, "MaximumCount") from None


def apply_changes(
    account: SourceAccount, changes: dict[str, Any], now: datetime, ledger: LedgerBalance | None = None
) -> SourceAccount:
    """The account with a new name, and with a new balance unless it is connected or its ledger has one.

    Other fields may be given if they do not change. Raises `Invalid` for those that may not change.
    """
    for field, name in _READ_ONLY_FIELDS.items():
        if changes.get(field) not in (None, getattr(account, field)):
            raise Invalid.field(name, "cannot be changed; delete the account and create it again", "ReadOnly")
    if changes.get("status") not in (None, account.status, SourceAccountStatus.DISCONNECTED):
        raise Invalid.field("status", "can only be changed to disconnected", "Enum")
    name = changes.get("account_name", account.account_name)
    _check_text("accountName", name, 255)
    balance = changes.get("balance", account.balance)
    if ledger is not None:
        if balance not in (account.balance, ledger.amount):
            raise Invalid.field("balance", "cannot be changed: it is that of the last transaction recorded", "ReadOnly")
        balance = account.balance
    if balance != account.balance and account.status is SourceAccountStatus.CONNECTED:
        raise Invalid.field("balance", "cannot be changed while the account is connected", "ReadOnly")
    return account.but(account_name=name, balance=balance, modified=now)


def disconnects_account(account: SourceAccount, changes: dict[str, Any]) -> bool:
    """Whether the changes disconnect the account."""
    disconnected = SourceAccountStatus.DISCONNECTED
    return changes.get("status") == disconnected and (account.status is not disconnected or account.wanted is not None)


def _check_id(id: str) -> None:
    if not ACCOUNT_ID_PATTERN.fullmatch(id):
        raise Invalid.field("id", ID_RULE, "AccountId")
    if id in RESERVED_IDS:
        raise Invalid.field("id", f"{id} is reserved: the API's own paths use it", "AccountId")


def _check_number(account_type: str, account_number: str) -> None:
    """Its type too: a credit card has rules of its own."""
    if account_type not in KIND_BY_ACCOUNT_TYPE:
        raise Invalid.field("accountType", f"must be one of {', '.join(KIND_BY_ACCOUNT_TYPE)}", "Enum")
    _check_text("accountNumber", account_number, ACCOUNT_NUMBER_LENGTH_MAX)
    if KIND_BY_ACCOUNT_TYPE[account_type] is AccountKind.CREDIT_CARD and not _CARD_NUMBER.fullmatch(account_number):
        rule = "must end in four digits: Xero identifies a credit card by them"
        raise Invalid.field("accountNumber", rule, "CardNumber")


def _check_text(field: str, value: str, length_max: int) -> None:
    if not 1 <= len(value) <= length_max:
        raise Invalid.field(field, f"must have 1 to {length_max} characters", "Length")
    if has_controls(value):
        raise Invalid.field(field, CONTROL_RULE, "ControlCharacter")
