"""Companies and connections in Codat's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from feedlane.clock import iso
from feedlane.codat.query import Fields
from feedlane.company import Company
from feedlane.connection import (
    INTEGRATION_ID,
    NEEDS,
    PLATFORM_KEY,
    PLATFORM_NAME,
    SOURCE_ID,
    Connection,
    ConnectionError,
)
from feedlane.links import company_link, connection_link

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
    connection: Connection, public_url: str, standing: Sequence[ConnectionError] = (), password: str = ""
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
        "needsReconnection": connection.needs_reconnection or any(one.reason in NEEDS for one in standing),
        "connectionInfo": _tenant_json(connection),
    }


def _error_json(error: ConnectionError) -> dict[str, Any]:
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
