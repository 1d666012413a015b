"""Each event as it goes out: Codat's payloads where Codat has the event, and ours in the same manner.

Every function takes the event's id first and its time last. `subject` says what the event keeps order with: a feed, a
connection, a company, a tenant or the app.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feedlane import event as types
from feedlane import money
from feedlane.clock import iso
from feedlane.company import Company
from feedlane.connection import (
    INTEGRATION_ID,
    PLATFORM_KEY,
    PLATFORM_NAME,
    SOURCE_ID,
    Connection,
    ConnectionError,
)
from feedlane.consumer import Consumer
from feedlane.event import Event
from feedlane.feed import Feed, feed_id
from feedlane.hold import APP, Hold, Scope
from feedlane.ledger import Gap
from feedlane.push_operation import PushOperation, PushStatus
from feedlane.settings import Settings
from feedlane.source_account import SourceAccount
from feedlane.statement import StatementRecord

Json = dict[str, Any]

# What a platform may know of its settings' change by an event; the keys of the app are named, never shown.
_SHOWN_SETTINGS = {"enabled": "enabled", "bank_feeds": "bankFeeds", "access": "access", "connection_limit": "limit"}


def envelope(event: Event) -> Json:
    """The event as webhooks and the bus carry it: the one place that knows this shape."""
    return {
        "id": event.id,
        "eventType": event.type,
        "generatedDate": iso(event.time),
        "payload": event.payload,
    }


def body(event: Event) -> bytes:
    """The bytes of a webhook. The same for the same event, however often they are made."""
    return money.dumps(envelope(event)).encode()


# companies and connections


def company_changed(event_id: str, type: str, company: Company, link_url: str, now: datetime) -> Event:
    """`company.created` or `company.deleted`. `link_url` is where the company's customer goes to link."""
    payload = {
        "id": company.id,
        "name": company.name,
        "description": company.description,
        "redirect": link_url,
        "created": iso(company.created),
        "tags": company.tags,
    }
    return _event(event_id, type, company.id, payload, company, now)


def connection_changed(
    event_id: str, type: str, connection: Connection, company: Company, link_url: str, now: datetime
) -> Event:
    """`connection.created`, `.connected`, `.disconnected`, `.reconnected`, `.failed` or `.deleted`."""
    shape = {
        "id": connection.id,
        "integrationId": INTEGRATION_ID,
        "integrationKey": PLATFORM_KEY,
        "sourceId": SOURCE_ID,
        "sourceType": "Accounting",
        "platformName": PLATFORM_NAME,
        "linkUrl": link_url,
        "status": connection.status.value,
        "created": iso(connection.created),
        "dataConnectionErrors": [_connection_error(error) for error in connection.errors] or None,
    }
    payload = {"referenceCompany": _reference(company), "connection": _known(shape)}
    return _event(event_id, type, connection.id, payload, company, now)


# bank feeds


def write_ended(event_id: str, operation: PushOperation, company: Company, now: datetime) -> Event:
    """`bankTransactions.write.successful` or `.unsuccessful`: a push operation ended.

    Codat's payload does not say why an operation failed; `errorMessage`, `statusCode` and `problem` are ours.
    """
    succeeded = operation.status is PushStatus.SUCCESS
    payload = {
        "id": operation.key,
        "type": "Create",
        "referenceCompany": _reference(company),
        "companyId": company.id,
        "connectionId": operation.connection_id,
        "accountId": operation.account_id,
        "requestedOnDate": iso(operation.requested_on),
        "completedOnDate": iso(operation.completed_on or now),
        "status": operation.status.value,
        "record": {"id": operation.account_id} if succeeded else None,
        "statusCode": None if succeeded else operation.status_code,
        "errorMessage": operation.error_message,
        "problem": operation.problem.model_dump() if operation.problem else None,
    }
    type = types.WRITE_SUCCESSFUL if succeeded else types.WRITE_UNSUCCESSFUL
    subject = feed_id(operation.connection_id, operation.account_id)
    return _event(event_id, type, subject, payload, company, now)


def source_account_connected(event_id: str, account: SourceAccount, company: Company, now: datetime) -> Event:
    return _source_account(event_id, types.SOURCE_ACCOUNT_CONNECTED, account, company, now)


def source_account_disconnected(event_id: str, account: SourceAccount, company: Company, now: datetime) -> Event:
    return _source_account(event_id, types.SOURCE_ACCOUNT_DISCONNECTED, account, company, now)


def held(event_id: str, hold: Hold, waiting: int, company: Company | None, now: datetime) -> Event:
    """`waiting`: how many recorded transactions the hold keeps from being sent."""
    return _hold(event_id, types.HELD, hold, waiting, company, now)


def released(event_id: str, hold: Hold, waiting: int, company: Company | None, now: datetime) -> Event:
    """`waiting`: how many recorded transactions go on with the release."""
    return _hold(event_id, types.RELEASED, hold, waiting, company, now)


def gap_found(event_id: str, feed: Feed, gap: Gap, company: Company, now: datetime) -> Event:
    """The balances are those after the transaction: what the feed leads to, and what was sent."""
    payload = {
        **_place(feed, company),
        "transactionId": gap.transaction_id,
        "date": gap.date,
        "expectedBalance": gap.expected,
        "givenBalance": gap.given,
        "difference": gap.given - gap.expected,
    }
    return _event(event_id, types.GAP_FOUND, feed.id, payload, company, now)


def statement_stuck(
    event_id: str, feed: Feed, statement: StatementRecord, company: Company, now: datetime
) -> Event:
    """The upstream took a statement long ago and has not said how it ended."""
    payload = {
        **_place(feed, company),
        "statementNumber": statement.number,
        "statementId": statement.upstream_id,
        "transactions": statement.last - statement.first + 1,
        "startDate": statement.start_date,
        "endDate": statement.end_date,
        "postedOnDate": iso(statement.posted_on) if statement.posted_on else None,
        "waiting": feed.waiting,
    }
    return _event(event_id, types.STATEMENT_STUCK, feed.id, payload, company, now)


# the app


def connection_limit_reached(event_id: str, limit: int, connected: int, now: datetime) -> Event:
    payload = {"limit": limit, "connected": connected}
    return _event(event_id, types.CONNECTION_LIMIT_REACHED, APP, payload, None, now)


def settings_changed(event_id: str, before: Settings, after: Settings, now: datetime) -> Event:
    """Names what changed, and shows what is no secret."""
    names = sorted(
        name for name in Settings.model_fields if name != "version" and getattr(before, name) != getattr(after, name)
    )
    shown = {shown: getattr(after, name) for name, shown in _SHOWN_SETTINGS.items()}
    payload = {"changed": [_camel(name) for name in names], "settings": shown}
    return _event(event_id, types.SETTINGS_CHANGED, APP, payload, None, now)


def consumer_disabled(event_id: str, consumer: Consumer, reason: str, now: datetime) -> Event:
    """`reason` is "gone" (it answered 410) or "failing" (it failed for days). Its query may hold a key: left out."""
    payload = {
        "consumerId": consumer.id,
        "url": consumer.url.split("?")[0],
        "reason": reason,
        "failingSince": iso(consumer.failing_since) if consumer.failing_since else None,
    }
    return _event(event_id, types.CONSUMER_DISABLED, f"consumer/{consumer.id}", payload, None, now)


# parts


def _event(event_id: str, type: str, subject: str, payload: Json, company: Company | None, now: datetime) -> Event:
    return Event(
        id=event_id,
        type=type,
        subject=subject,
        time=now,
        company_id=company.id if company else None,
        company_tags=company.tags if company else {},
        payload=_known(payload),
    )


def _hold(event_id: str, type: str, hold: Hold, waiting: int, company: Company | None, now: datetime) -> Event:
    """A hold of the app is nobody's own: it does not name the company whose push met it."""
    concerned = None if hold.scope is Scope.APP else company
    payload = {
        "holdId": hold.id,
        "scope": hold.scope.value,
        "reason": hold.reason,
        "problem": hold.problem.model_dump(),
        "since": iso(hold.since),
        "waiting": waiting,
        "tenantId": hold.tenant_id,
        "companyId": hold.company_id,
        "connectionId": hold.connection_id,
        "accountId": hold.account_id,
        "referenceCompany": _reference(concerned) if concerned else None,
    }
    return _event(event_id, type, hold.subject, payload, concerned, now)


def _source_account(
    event_id: str, type: str, account: SourceAccount, company: Company, now: datetime
) -> Event:
    shape = {
        "id": account.id,
        "accountName": account.account_name,
        "accountType": account.account_type,
        "accountNumber": account.account_number,
        "sortCode": account.sort_code,
        "currency": account.currency,
        "balance": account.balance,
        "modifiedDate": iso(account.modified),
        "status": account.status.value,
        "feedStartDate": account.mapping.feed_start_date if account.mapping else None,
    }
    payload = {
        "referenceCompany": _reference(company),
        "companyId": company.id,
        "connectionId": account.connection_id,
        "sourceAccount": _known(shape),
    }
    return _event(event_id, type, feed_id(account.connection_id, account.id), payload, company, now)


def _reference(company: Company) -> Json:
    return _known(
        {"id": company.id, "name": company.name, "description": company.description, "tags": company.tags}
    )


def _place(feed: Feed, company: Company) -> Json:
    return {
        "referenceCompany": _reference(company),
        "companyId": feed.company_id,
        "connectionId": feed.connection_id,
        "accountId": feed.account_id,
    }


def _connection_error(error: ConnectionError) -> Json:
    return _known(
        {
            "statusCode": error.status_code,
            "statusText": error.status_text,
            "errorMessage": error.error_message,
            "erroredOnUtc": iso(error.errored_on),
            "resolvedOnUtc": iso(error.resolved_on) if error.resolved_on else None,
            "status": "Resolved" if error.resolved_on else "Active",
        }
    )


def _known(shape: Json) -> Json:
    """Without what is not known: an absent field, never a null."""
    return {name: value for name, value in shape.items() if value is not None}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
