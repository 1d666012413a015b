"""How the API shows companies, connections, accounts and push operations."""

from typing import Any

from local.codat_simulator.records import Company, Connection, Operation, SourceAccount
from local.codat_simulator.state import Codat, timestamp

Json = dict[str, Any]

XERO_KEY = "gbol"
XERO = {
    "integrationId": "0f20c943-12d0-4800-9f6c-d218f62d494c",
    "integrationKey": XERO_KEY,
    "sourceId": "8a156a5a-39cb-4f9d-856e-76ef9b9a9607",
    "sourceType": "Accounting",
    "platformName": "Xero",
}


def company_json(sim: Codat, company: Company) -> Json:
    return {
        "id": company.id,
        "name": company.name,
        "description": company.description,
        "platform": "",
        "redirect": f"{sim.origin}/company/{company.id}",
        "lastSync": None,
        "created": timestamp(company.created),
        "createdByUserName": None,
        "products": [],
        "tags": company.tags,
        "referenceParentCompany": None,
        "referenceSubsidiaryCompanies": [],
        "dataConnections": [connection_json(sim, connection) for connection in sim.connections_of(company.id)],
    }


def connection_json(sim: Codat, connection: Connection) -> Json:
    password = f"?otp={connection.otp}" if connection.otp else ""
    return {
        "id": connection.id,
        **XERO,
        "linkUrl": f"{sim.origin}/companies/{connection.company_id}/connections/{connection.id}/start{password}",
        "status": connection.status,
        "lastSync": None,
        "created": timestamp(connection.created),
        "dataConnectionErrors": connection.errors,
        "connectionInfo": {},
    }


def account_json(account: SourceAccount) -> Json:
    """As it was sent, with its state. Only a connected account has a start date."""
    shown = {**account.received, "modifiedDate": timestamp(account.modified), "status": account.status}
    if account.status == "connected" and account.mapping is not None:
        shown["feedStartDate"] = account.mapping.feed_start_date
    return shown


def operation_json(operation: Operation) -> Json:
    body: Json = {
        "changes": None,
        "dataType": "bankTransactions",
        "companyId": operation.company_id,
        "pushOperationKey": operation.key,
        "dataConnectionKey": operation.connection_id,
        "requestedOnUtc": timestamp(operation.requested_at),
        "status": operation.status,
        "statusCode": operation.status_code,
        "timeoutInMinutes": operation.timeout_minutes,
        "errorMessage": operation.error_message,
        "validation": {
            "errors": [finding.json() for finding in operation.errors],
            "warnings": [finding.json() for finding in operation.warnings],
        },
    }
    if operation.completed_at is not None:
        body["completedOnUtc"] = timestamp(operation.completed_at)
    if operation.status == "Success":
        record = {"id": operation.record_id, "dataType": "bankTransactions"}
        body["changes"] = [{"type": "Created", "recordRef": record}]
    return body
