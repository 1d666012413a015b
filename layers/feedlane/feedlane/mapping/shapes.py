"""Mappings in the JSON of the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedlane.companies import bank_codes
from feedlane.companies.shapes import rejection_json
from feedlane.companies.source_account import AccountKind, LedgerBalance, SourceAccount
from feedlane.feeds.upstream import TargetAccount


def mapping_json(
    account: SourceAccount,
    options: Iterable[TargetAccount],
    country: str = "",
    ledger: LedgerBalance | None = None,
) -> dict[str, Any]:
    """`country` is the organisation's, by whose rules the options' numbers are written."""
    mapping = account.mapping
    return (
        {
            "sourceAccountId": account.id,
            "sourceAccountName": account.account_name,
            "sourceAccountNumber": account.account_number,
            "sourceBalance": ledger.amount if ledger else account.balance,
            "sourceCurrency": account.currency,
            "targetAccountId": mapping.target_account_id if mapping else None,
            "targetAccountName": mapping.target_account_name if mapping else None,
            "status": account.status,
            "feedStartDate": mapping.feed_start_date if mapping else None,
            "targetAccountOptions": [_option_json(option, country) for option in options],
        }
        | ({"sourceBalanceDate": ledger.date} if ledger else {})
        | rejection_json(account)
    )


def mapped_json(account: SourceAccount) -> dict[str, Any]:
    return {
        "sourceAccountId": account.id,
        "targetAccountId": account.mapping.target_account_id if account.mapping else None,
        "status": account.status,
        "error": None,
    }


def _option_json(option: TargetAccount, country: str) -> dict[str, Any]:
    code, number = bank_codes.split(option.number, country) if option.kind is AccountKind.BANK else ("", option.number)
    return {"id": option.id, "name": option.name, "accountNumber": number, "sortCode": code or None, "balance": None}
