"""Mappings in the JSON of the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedlane.companies.shapes import rejection_json
from feedlane.companies.source_account import SourceAccount
from feedlane.feeds.upstream import TargetAccount


def mapping_json(account: SourceAccount, options: Iterable[TargetAccount]) -> dict[str, Any]:
    mapping = account.mapping
    return {
        "sourceAccountId": account.id,
        "sourceAccountName": account.account_name,
        "sourceAccountNumber": account.account_number,
        "sourceBalance": account.balance,
        "sourceCurrency": account.currency,
        "targetAccountId": mapping.target_account_id if mapping else None,
        "targetAccountName": mapping.target_account_name if mapping else None,
        "status": account.status,
        "feedStartDate": mapping.feed_start_date if mapping else None,
        "targetAccountOptions": [_option_json(option) for option in options],
    } | rejection_json(account)


def mapped_json(account: SourceAccount) -> dict[str, Any]:
    return {
        "sourceAccountId": account.id,
        "targetAccountId": account.mapping.target_account_id if account.mapping else None,
        "status": account.status,
        "error": None,
    }


def _option_json(option: TargetAccount) -> dict[str, Any]:
    return {"id": option.id, "name": option.name, "accountNumber": option.number, "sortCode": None, "balance": None}
