"""Push operations as the API shows them, in Codat's JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedlane.clock import iso
from feedlane.codat.errors import finding_json, problem_json
from feedlane.codat.query import Fields
from feedlane.errors import Finding
from feedlane.feeds.hole import Hole
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.ids import fingerprint
from feedlane.pushes.outcomes import TransactionOutcome

DATA_TYPE = "bankTransactions"
LISTED_FINDINGS_MAX = 10
PUSH_FIELDS: Fields = dict.fromkeys(
    [
        "dataType",
        "companyId",
        "pushOperationKey",
        "dataConnectionKey",
        "requestedOnUtc",
        "completedOnUtc",
        "timeoutInMinutes",
        "status",
        "statusCode",
        "errorMessage",
        "accountId",
        "door",
    ]
)
OUTCOME_FIELDS: Fields = dict.fromkeys(["id", "outcome", "line"])


def push_operation_json(operation: PushOperation) -> dict[str, Any]:
    """Codat's fields, and four of Feedlane's.

    `accountId`, `door` (how it came in), `backfill` (the push that it mends), `problem` (all of Xero's).
    """
    return {
        "changes": _changes(operation),
        "dataType": DATA_TYPE,
        "companyId": operation.company_id,
        "pushOperationKey": operation.key,
        "dataConnectionKey": operation.connection_id,
        "requestedOnUtc": iso(operation.requested_on),
        "completedOnUtc": iso(operation.completed_on) if operation.completed_on else None,
        "timeoutInMinutes": operation.timeout_in_minutes,
        "status": operation.status,
        "statusCode": operation.status_code,
        "errorMessage": _error_message(operation),
        "validation": validation_json(operation.errors, operation.warnings),
        "accountId": operation.account_id,
        "door": operation.door,
        "backfill": operation.backfill or None,
        "problem": problem_json(operation.problem),
    }


def listed_operation_json(operation: PushOperation) -> dict[str, Any]:
    """As in a list: with the first findings only, as an operation can have a thousand."""
    return push_operation_json(
        operation.but(errors=first_findings(operation.errors), warnings=first_findings(operation.warnings))
    )


def first_findings(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The first few; the last one says how many are left out."""
    if len(findings) <= LISTED_FINDINGS_MAX:
        return findings
    kept = findings[: LISTED_FINDINGS_MAX - 1]
    message = f"and {len(findings) - len(kept)} more: get the push operation itself"
    return (*kept, Finding(item_id="transactions", message=message, validator="More"))


def outcome_json(outcome: TransactionOutcome) -> dict[str, Any]:
    return {"id": outcome.id, "outcome": outcome.outcome, "line": outcome.line}


def hole_json(hole: Hole) -> dict[str, Any]:
    return {
        "pushOperationKey": hole.operation_key,
        "requestedOn": iso(hole.requested_on),
        "transactions": hole.transactions,
        "missing": hole.missing,
        "unread": hole.unread,
        "nextMissing": hole.next_missing or None,
        "firstDate": hole.first_date or None,
        "lastDate": hole.last_date or None,
        "errorMessage": hole.error,
    }


def validation_json(errors: Iterable[Finding], warnings: Iterable[Finding]) -> dict[str, Any]:
    return {"errors": list(map(finding_json, errors)), "warnings": list(map(finding_json, warnings))}


def _changes(operation: PushOperation) -> list[dict[str, Any]] | None:
    if operation.status is not PushStatus.SUCCESS:
        return None
    return [{"type": "Created", "recordRef": {"id": operation.account_id, "dataType": DATA_TYPE}}]


def _error_message(operation: PushOperation) -> str | None:
    """In Codat's three parts if the reason is Xero's."""
    if operation.problem is None or operation.error_message is None:
        return operation.error_message
    correlation = fingerprint(operation.key)[:32]
    return (
        f"An error occurred in a downstream service. Correlation ID: {correlation}. Message: {operation.error_message}"
    )
