"""Companies, connections and source accounts as the API shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from feedlane.clock import iso
from feedlane.codat.errors import problem_json
from feedlane.codat.query import Fields
from feedlane.companies.company import Company
from feedlane.companies.connection import (
    INTEGRATION_ID,
    PLATFORM_KEY,
    PLATFORM_NAME,
    RECONNECTION_REASONS,
    SOURCE_ID,
    Connection,
    ConnectionFault,
)
from feedlane.companies.page_links import company_link, connection_link
from feedlane.companies.source_account import LedgerBalance, SourceAccount, SourceAccountStatus
from feedlane.errors import Invalid

CONNECTION_FIELDS: Fields = dict.fromkeys(
    [
        "id",
        "integrationId",
        "integrationKey",
        "sourceId",
        "platformName",
        "linkUrl",
        "status",
        "lastSync",
        "created",
        "sourceType",
    ]
) | {"dataConnectionErrors": dict.fromkeys(["statusCode", "statusText", "errorMessage", "erroredOnUtc", "status"])}
COMPANY_FIELDS: Fields = dict.fromkeys(
    ["id", "name", "platform", "redirect", "description", "lastSync", "created", "createdByUserName"]
) | {"dataConnections": CONNECTION_FIELDS}
# Only Codat's second vocabulary has these. The SDKs tell the models apart by them, so they are echoed only if given.
_SECOND_VOCABULARY_FIELDS = ("routingInfo", "accountInfo")


def company_json(
    company: Company, connections: Iterable[dict[str, Any]], public_url: str, password: str = ""
) -> dict[str, Any]:
    """`connections` are shapes of `connection_json`. `password` is added to the company's link, if not empty."""
    return {
        "id": company.id,
        "name": company.name,
        "platform": "",
        "redirect": company_link(public_url, company.id, password),
        "description": company.description,
        "lastSync": None,
        "created": iso(company.created),
        "createdByUserName": None,
        "products": [],
        "tags": company.tags,
        "upstream": company.upstream,
        "referenceParentCompany": None,
        "referenceSubsidiaryCompanies": [],
        "dataConnections": list(connections),
    }


def connection_json(
    connection: Connection, public_url: str, standing: Sequence[ConnectionFault] = (), password: str = ""
) -> dict[str, Any]:
    """`linkUrl` is set in every status: the SDKs refuse a connection without it.

    `password` is added to it, if not empty. `standing` are faults that stop the connection now without being kept on it
    (`link/standing_errors.py`).
    """
    return {
        "id": connection.id,
        "integrationId": INTEGRATION_ID,
        "integrationKey": PLATFORM_KEY,
        "sourceId": SOURCE_ID,
        "sourceType": "Accounting",
        "platformName": PLATFORM_NAME,
        "linkUrl": connection_link(public_url, connection.company_id, connection.id, password),
        "status": connection.status,
        "lastSync": None,
        "created": iso(connection.created),
        "dataConnectionErrors": [_fault_json(fault) for fault in (*connection.errors, *standing)],
        "needsReconnection": connection.needs_reconnection
        or any(fault.reason in RECONNECTION_REASONS for fault in standing),
        "connectionInfo": _tenant_json(connection),
        "upstream": connection.upstream,
        "upstreamChange": _change_json(connection),
    }


def company_information_json(connection: Connection) -> dict[str, Any]:
    """The organisation as Xero described it last: at the consent, or in the daily round. Raises `Invalid` before."""
    tenant = connection.tenant
    if tenant is None:
        raise Invalid(connection.not_linked_message)
    return {
        "companyName": tenant.name,
        "baseCurrency": tenant.base_currency or None,
        "planType": tenant.plan or None,
        "multicurrencyEnabled": tenant.multicurrency,
        "currencies": list(tenant.currencies or filter(None, [tenant.base_currency])),
    }


def source_account_json(account: SourceAccount, ledger: LedgerBalance | None = None) -> dict[str, Any]:
    """With the ledger's balance and its date, once there is one."""
    body: dict[str, Any] = {
        "id": account.id,
        "accountName": account.account_name,
        "accountType": account.account_type,
        "accountNumber": account.account_number,
        "sortCode": account.sort_code,
        "currency": account.currency,
        "balance": ledger.amount if ledger else account.balance,
        "modifiedDate": iso(account.modified),
        "status": account.status,
    }
    if ledger:
        body["balanceDate"] = ledger.date
    body |= {name: account.given[name] for name in _SECOND_VOCABULARY_FIELDS if account.given.get(name) is not None}
    available = (body.get("accountInfo") or {}).get("availableBalance")
    if available is not None:
        body["accountInfo"] = body["accountInfo"] | {"availableBalance": Decimal(str(available))}
    if account.status is SourceAccountStatus.CONNECTED and account.mapping:
        body["feedStartDate"] = account.mapping.feed_start_date
    return body | rejection_json(account)


def batch_item_json(
    account_id: str, account: SourceAccount | None, status: int = 200, error: str | None = None
) -> dict[str, Any]:
    """A failed item has its status as a string, by which the SDKs choose their error model."""
    if account is None:
        return {"sourceAccountId": account_id, "result": {"statusCode": str(status), "error": error}}
    result = {"statusCode": status, "error": None, "account": source_account_json(account)}
    return {"sourceAccountId": account_id, "result": result}


def rejection_json(account: SourceAccount) -> dict[str, Any]:
    """Why Xero rejected the account's feed connection, as `problem`. Empty if it did not."""
    return {"problem": problem_json(account.problem)} if account.problem else {}


def _fault_json(fault: ConnectionFault) -> dict[str, Any]:
    """`statusCode` is a string here, unlike everywhere else in Codat's API."""
    return {
        "statusCode": fault.status_code,
        "statusText": fault.status_text,
        "errorMessage": fault.error_message,
        "erroredOnUtc": iso(fault.errored_on),
        "status": "Resolved" if fault.resolved_on else "Active",
        "resolvedOnUtc": iso(fault.resolved_on) if fault.resolved_on else None,
    } | ({"reason": fault.reason} if fault.reason else {})


def _change_json(connection: Connection) -> dict[str, str] | None:
    change = connection.change
    return {"to": change.to, "state": change.state, "since": iso(change.since)} if change else None


def _tenant_json(connection: Connection) -> dict[str, str] | None:
    if connection.tenant is None:
        return None
    return {"tenantId": connection.tenant.id, "tenantName": connection.tenant.name}
