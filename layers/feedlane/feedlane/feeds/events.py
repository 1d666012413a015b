"""Events about a feed: its push operations that ended, gaps between its balances, and holes."""

from __future__ import annotations

from datetime import datetime

from feedlane.clock import iso
from feedlane.companies.company import Company
from feedlane.companies.events import build_event, company_reference
from feedlane.events import event as event_types
from feedlane.events.event import Event, Json
from feedlane.feeds.feed import Feed
from feedlane.feeds.hole import Hole
from feedlane.feeds.ledger import Gap
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.ports import Ports


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
    return build_event(ports, event_type, operation.feed_id, payload, company, now)


def gap_found(ports: Ports, feed: Feed, gap: Gap, company: Company, now: datetime) -> Event:
    """Both balances are those after the transaction: as the lines before it require, and as it was sent."""
    payload = feed_reference(ports, feed, company) | {
        "transactionId": gap.transaction_id,
        "date": gap.date,
        "expectedBalance": gap.expected_balance,
        "givenBalance": gap.given_balance,
        "difference": gap.given_balance - gap.expected_balance,
    }
    return build_event(ports, event_types.GAP_FOUND, feed.id, payload, company, now)


def hole_found(ports: Ports, feed: Feed, hole: Hole, company: Company, now: datetime) -> Event:
    """A push that its door took was refused: its transactions are missing in the feed."""
    payload = {
        "firstDate": hole.first_date or None,
        "lastDate": hole.last_date or None,
        "errorMessage": hole.error,
    }
    return build_event(
        ports, event_types.HOLE_FOUND, feed.id, _hole(ports, feed, hole, company) | payload, company, now
    )


def hole_mended(ports: Ports, feed: Feed, hole: Hole, company: Company, now: datetime) -> Event:
    """Nothing of the refused push is missing any more; or somebody gave up the rest, which `missing` counts."""
    return build_event(ports, event_types.HOLE_MENDED, feed.id, _hole(ports, feed, hole, company), company, now)


def _hole(ports: Ports, feed: Feed, hole: Hole, company: Company) -> Json:
    return feed_reference(ports, feed, company) | {
        "pushOperationKey": hole.operation_key,
        "transactions": hole.transactions,
        "missing": hole.missing,
        "unread": hole.unread,
        "holes": feed.holes,
    }


def feed_reference(ports: Ports, feed: Feed, company: Company) -> Json:
    """The fields by which every event about a feed names it."""
    return {
        "referenceCompany": company_reference(ports, company),
        "companyId": feed.company_id,
        "connectionId": feed.connection_id,
        "accountId": feed.account_id,
    }
