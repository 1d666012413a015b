"""Source accounts and their mapping in Codat's JSON, both vocabularies (`Debit`/`Credit`, and `checking` …)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from feedlane.clock import iso
from feedlane.codat.errors import problem_json
from feedlane.source_account import SourceAccount, SourceAccountStatus
from feedlane.upstream import TargetAccount

# What only the second vocabulary has: the SDKs tell the models apart by these, so they are echoed only if given.
V2_ONLY = ("routingInfo", "accountInfo")


def source_account_json(account: SourceAccount) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": account.id,
        "accountName": account.account_name,
        "accountType": account.account_type,
        "accountNumber": account.account_number,
        "sortCode": account.sort_code,
        "currency": account.currency,
        "balance": account.balance,
        "modifiedDate": iso(account.modified),
        "status": account.status,
    }
    body |= {name: account.given[name] for name in V2_ONLY if account.given.get(name) is not None}
    available = (body.get("accountInfo") or {}).get("availableBalance")
    if available is not None:
        body["accountInfo"] = body["accountInfo"] | {"availableBalance": Decimal(str(available))}
    if account.status is SourceAccountStatus.CONNECTED and account.mapping:
        body["feedStartDate"] = account.mapping.feed_start_date
    return body | _problem(account)


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
    } | _problem(account)


def mapped_json(account: SourceAccount) -> dict[str, Any]:
    return {
        "sourceAccountId": account.id,
        "targetAccountId": account.mapping.target_account_id if account.mapping else None,
        "status": account.status,
        "error": None,
    }


def batch_item_json(
    account_id: str, account: SourceAccount | None, status: int = 200, error: str | None = None
) -> dict[str, Any]:
    """The status of a failed item is a text: that makes the SDKs choose their error model."""
    if account is None:
        return {"sourceAccountId": account_id, "result": {"statusCode": str(status), "error": error}}
    result = {"statusCode": status, "error": None, "account": source_account_json(account)}
    return {"sourceAccountId": account_id, "result": result}


def _problem(account: SourceAccount) -> dict[str, Any]:
    """Why Xero rejected its feed connection, if that is why it is not connected."""
    return {"problem": problem_json(account.problem)} if account.problem else {}


def _option_json(option: TargetAccount) -> dict[str, Any]:
    return {"id": option.id, "name": option.name, "accountNumber": option.number, "sortCode": None, "balance": None}
