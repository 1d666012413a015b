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
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
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


def company_json(
    company: Company, connections: Iterable[dict[str, Any]], public_url: str, password: str = ""
) -> dict[str, Any]:
    """`connections` are shapes of `connection_json`. `password` goes with the company's link, if it needs one."""
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
        "referenceParentCompany": None,
        "referenceSubsidiaryCompanies": [],
        "dataConnections": list(connections),
    }


def connection_json(
    connection: Connection, public_url: str, standing: Sequence[ConnectionFault] = (), password: str = ""
) -> dict[str, Any]:
    """`linkUrl` is filled in every status: the SDKs refuse a connection without it.

    `password` goes with the link, if it needs one. `standing`: what stops the connection now and is not written on it
    (`connection_errors.standing`).
    """
    errors = [*connection.errors, *standing]
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
        "dataConnectionErrors": [_error_json(error) for error in errors],
        "needsReconnection": connection.needs_reconnection
        or any(one.reason in RECONNECTION_REASONS for one in standing),
        "connectionInfo": _tenant_json(connection),
    }


def _error_json(error: ConnectionFault) -> dict[str, Any]:
    """`statusCode` is a text here, unlike everywhere else in Codat's API."""
    return {
        "statusCode": error.status_code,
        "statusText": error.status_text,
        "errorMessage": error.error_message,
        "erroredOnUtc": iso(error.errored_on),
        "status": "Resolved" if error.resolved_on else "Active",
        "resolvedOnUtc": iso(error.resolved_on) if error.resolved_on else None,
    } | ({"reason": error.reason} if error.reason else {})


def _tenant_json(connection: Connection) -> dict[str, str] | None:
    if connection.tenant is None:
        return None
    return {"tenantId": connection.tenant.id, "tenantName": connection.tenant.name}


def company_information_json(connection: Connection) -> dict[str, Any]:
    """From what was learnt when the customer authorised. Raises `Invalid` before that."""
    tenant = connection.tenant
    if tenant is None:
        raise Invalid(f"The connection is not linked to a Xero organisation (it is {connection.status}).")
    return {
        "companyName": tenant.name,
        "baseCurrency": tenant.base_currency or None,
        "planType": tenant.plan or None,
        "multicurrencyEnabled": None,
        "currencies": [tenant.base_currency] if tenant.base_currency else [],
    }


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
