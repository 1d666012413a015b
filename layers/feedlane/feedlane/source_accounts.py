"""What a platform does with the source accounts of a connection."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from feedlane import mapping
from feedlane.connection import Connection
from feedlane.errors import Invalid
from feedlane.ids import ACCOUNT_ID, NewId
from feedlane.source_account import KINDS, AccountKind, SourceAccount, SourceAccountStatus
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from feedlane.upstream import Upstream

EXISTS = "A bank account already exists with the same Id"
MOST_IN_A_BATCH = 100
LONGEST_NUMBER = 40
# Words of Codat's paths below the accounts.
RESERVED_IDS = frozenset({"batch", "credentials"})
_CURRENCY = re.compile(r"[A-Z]{3}")
ID_RULE = "must be 1 to 80 characters: letters, digits and !#$&'()*+,-./:;=@_~ (no spaces, no percent sign)"


class AlreadyThere(Invalid):
    """The id is taken on this connection."""


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
    """Raises `Invalid` naming the field and the rule, `AlreadyThere`."""
    if not ACCOUNT_ID.fullmatch(id):
        raise Invalid.field("id", ID_RULE, "AccountId")
    if id in RESERVED_IDS:
        raise Invalid.field("id", f"{id} is a word of the API's paths and cannot be an account's id", "AccountId")
    _check_text("accountName", account_name, 255)
    _check_text("accountNumber", account_number, LONGEST_NUMBER)
    if account_type not in KINDS:
        raise Invalid.field("accountType", f"must be one of {', '.join(KINDS)}", "Enum")
    if KINDS[account_type] is AccountKind.CREDIT_CARD and not re.fullmatch(r"\d{4}", account_number[-4:], re.ASCII):
        raise Invalid.field("accountNumber", "must end in four digits: by these Xero knows a credit card", "CardNumber")
    if not _CURRENCY.fullmatch(currency):
        raise Invalid.field("currency", "must be an ISO 4217 code such as GBP", "Currency")
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
    try:
        store.commit(store.add_source_account(account))
    except ConditionFailed:
        raise AlreadyThere.field("id", EXISTS, "Unique") from None
    return account


def update(
    store: Store,
    upstream: Upstream,
    now: datetime,
    new_id: NewId,
    connection: Connection,
    account: SourceAccount,
    changes: dict[str, Any],
) -> SourceAccount:
    """Changes the name, the balance (while not connected), and the status (to disconnected only).

    Other fields may be given as they are. Raises `Invalid` for what would change and may not.
    """
    for field, name in _FIXED.items():
        if changes.get(field) not in (None, getattr(account, field)):
            raise Invalid.field(name, "cannot be changed; delete the account and create it anew", "ReadOnly")
    balance, status = changes.get("balance"), changes.get("status")
    connected = account.status is SourceAccountStatus.CONNECTED
    if balance is not None and balance != account.balance and connected:
        raise Invalid.field("balance", "cannot be changed while the account is connected", "ReadOnly")
    if status not in (None, account.status, SourceAccountStatus.DISCONNECTED):
        raise Invalid.field("status", "can only be changed to disconnected", "Enum")
    name = account.account_name if changes.get("account_name") is None else changes["account_name"]
    _check_text("accountName", name, 255)
    changed = account.but(
        account_name=name, balance=account.balance if balance is None or connected else balance, modified=now
    )
    if status == SourceAccountStatus.DISCONNECTED and account.status is not SourceAccountStatus.DISCONNECTED:
        return mapping.unmap(store, upstream, now, new_id, connection, changed)
    store.commit(store.put_source_account(changed))
    return changed


_FIXED = {
    "id": "id",
    "account_type": "accountType",
    "account_number": "accountNumber",
    "currency": "currency",
    "sort_code": "sortCode",
}


def _check_text(field: str, value: str, longest: int) -> None:
    if not 1 <= len(value) <= longest:
        raise Invalid.field(field, f"must have 1 to {longest} characters", "Length")
