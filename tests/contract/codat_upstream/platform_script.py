"""What a platform does with the official `codat-bankfeeds` SDK, as a program: either version of it runs this unchanged.

    python platform_script.py URL AUTHORIZATION [COMPANY CONNECTION FIRST COUNT]

Prints one JSON object. Without the ids it creates a company with a connection and an account. With them it pushes so
many transactions, beginning with that number, and polls for the end.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from typing import Any

from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import errors, shared

ACCOUNT = "main"
POLLS_MAX = 50


def set_up(sdk: CodatBankFeeds) -> dict[str, Any]:
    company = sdk.companies.create(request={"name": "Harbour Bakery Ltd"})
    connection = sdk.connections.create(request={"company_id": company.id, "request_body": {"platform_key": "gbol"}})
    account = {
        "id": ACCOUNT, "account_name": "Current account", "account_type": "checking", "account_number": "20011234",
        "sort_code": "040004", "currency": "GBP", "balance": 100,
    }  # fmt: skip
    ids = {"company_id": company.id, "connection_id": connection.id}
    sdk.source_accounts.create(request={**ids, "request_body": account})
    return ids | {"link_url": connection.link_url}


def push(sdk: CodatBankFeeds, ids: dict[str, str], first: int, count: int) -> dict[str, Any]:
    accounts = sdk.source_accounts.list(request=ids)
    try:
        pushed = _push(sdk, ids, first, count)
    except errors.ErrorMessage as error:
        # One version has the fields on the exception, the other has them in its data.
        body = getattr(error, "data", error)
        return {"status_code": body.status_code, "error": body.error}
    ended = _end(sdk, ids["company_id"], pushed.push_operation_key)
    return {
        "accounts": [(account.id, account.status) for account in _listed(accounts)],
        "pushed": pushed.status,
        "ended": ended.status,
        "error": ended.error_message,
    }


def _push(sdk: CodatBankFeeds, ids: dict[str, str], first: int, count: int) -> Any:
    transactions = [
        {
            "id": f"t{number}", "date": "2026-05-01T00:00:00", "description": f"Sale {number}", "amount": 10,
            "balance": 10 * number, "transaction_type": "Credit",
        }
        for number in range(first, first + count)
    ]  # fmt: skip
    body = {"account_id": ACCOUNT, "transactions": transactions}
    return sdk.transactions.create(request={**ids, "account_id": ACCOUNT, "create_bank_transactions": body})


def _end(sdk: CodatBankFeeds, company_id: str, key: str) -> Any:
    for _ in range(POLLS_MAX):
        request = {"company_id": company_id, "push_operation_key": key}
        operation = sdk.transactions.get_create_operation(request=request)
        if operation.status != "Pending":
            break
        time.sleep(0.05)
    return operation


def _listed(accounts: Any) -> list[Any]:
    return list(accounts) if isinstance(accounts, list) else [accounts]


def main() -> None:
    url, authorization, *rest = sys.argv[1:]
    sdk = CodatBankFeeds(security=shared.Security(auth_header=authorization), server_url=url)
    if rest:
        ids = {"company_id": rest[0], "connection_id": rest[1]}
        result = push(sdk, ids, int(rest[2]), int(rest[3]))
    else:
        result = set_up(sdk)
    print(json.dumps(result | {"version": version("codat-bankfeeds")}))


if __name__ == "__main__":
    main()
