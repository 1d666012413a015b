"""What is told about a feed: push operations that ended, and gaps between balances."""

from __future__ import annotations

from datetime import datetime

from feedlane.clock import iso
from feedlane.companies.company import Company
from feedlane.companies.events import build_event, company_reference
from feedlane.events import event as event_types
from feedlane.events.event import Event, Json
from feedlane.feeds.feed import Feed
from feedlane.feeds.ledger import Gap
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.ids import feed_id
from feedlane.ports import Ports


def feed_reference(ports: Ports, feed: Feed, company: Company) -> Json:
    return {
        "referenceCompany": company_reference(ports, company),
        "companyId": feed.company_id,
        "connectionId": feed.connection_id,
        "accountId": feed.account_id,
    }


def write_ended(ports: Ports, operation: PushOperation, company: Company, now: datetime) -> Event:
    """A push operation ended: `bankTransactions.write.successful` or `.unsuccessful`.

    Codat's payload does not say why an operation failed; `statusCode`, `errorMessage` and `problem` are ours.
    """
    succeeded = operation.status is PushStatus.SUCCESS
    payload = {
        "id": operation.key,
        "type": "Create",
        "referenceCompany": company_reference(ports, company),
        "companyId": company.id,
        "connectionId": operation.connection_id,
        "accountId": operation.account_id,
        "requestedOnDate": iso(operation.requested_on),
        "completedOnDate": iso(operation.completed_on or now),
        "status": operation.status.value,
        "record": {"id": operation.account_id} if succeeded else None,
        "statusCode": None if succeeded else operation.status_code,
        "errorMessage": None if succeeded else operation.error_message,
        "problem": operation.problem.model_dump() if operation.problem else None,
    }
    event_type = event_types.WRITE_SUCCESSFUL if succeeded else event_types.WRITE_UNSUCCESSFUL
    subject = feed_id(operation.connection_id, operation.account_id)
    return build_event(ports, event_type, subject, payload, company, now)


def gap_found(ports: Ports, feed: Feed, gap: Gap, company: Company, now: datetime) -> Event:
    """The balances are those after the transaction: what the feed leads to, and what was sent."""
    payload = feed_reference(ports, feed, company) | {
        "transactionId": gap.transaction_id,
        "date": gap.date,
        "expectedBalance": gap.expected,
        "givenBalance": gap.given,
        "difference": gap.given - gap.expected,
    }
    return build_event(ports, event_types.GAP_FOUND, feed.id, payload, company, now)
