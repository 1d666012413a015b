"""Each event as it goes out: Codat's payloads where Codat has the event, and ours in the same manner.

Every function takes the event's id first and its time last. `subject` says what the event keeps order with: a feed, a
connection, a company, a tenant or the app.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from feedlane import event as types
from feedlane.clock import iso
from feedlane.codat.companies import connection_json
from feedlane.company import Company
from feedlane.connection import Connection
from feedlane.consumer import Consumer
from feedlane.environment import environment
from feedlane.event import Event
from feedlane.event_parts import (
    camel,
    event,
    known,
    of_company,
    of_hold,
    of_source_account,
    place,
    reference,
    statement_of,
    with_need,
)
from feedlane.feed import Feed, feed_id
from feedlane.hold import APP, Hold
from feedlane.ledger import Gap
from feedlane.push_operation import PushOperation, PushStatus
from feedlane.source_account import SourceAccount
from feedlane.statement import StatementRecord

UNANSWERED = (
    "An authorisation was started, and Xero has not answered within 10 minutes. What happened at Xero is not known: "
    "the window may have been closed, or Xero may have shown a page of its own, as it does at the app's connection "
    "limit."
)

# Of a change in the settings these are named, but their values are the app's own business.
_UNSHOWN_SETTINGS = frozenset({"client_id", "client_secret_ending", "second_secret_ending", "version"})


# companies and connections


def company_created(event_id: str, company: Company, now: datetime) -> Event:
    return of_company(event_id, types.COMPANY_CREATED, company, now)


def company_deleted(event_id: str, company: Company, now: datetime) -> Event:
    return of_company(event_id, types.COMPANY_DELETED, company, now)


def connection_created(event_id: str, connection: Connection, company: Company, now: datetime) -> Event:
    return connection_changed(event_id, types.CONNECTION_CREATED, connection, company, now)


def connection_connected(event_id: str, connection: Connection, company: Company, now: datetime) -> Event:
    return connection_changed(event_id, types.CONNECTION_CONNECTED, connection, company, now)


def connection_reconnected(event_id: str, connection: Connection, company: Company, now: datetime) -> Event:
    return connection_changed(event_id, types.CONNECTION_RECONNECTED, connection, company, now)


def connection_disconnected(event_id: str, connection: Connection, company: Company, now: datetime) -> Event:
    """Unlinked by the platform, or deauthorised by the customer: its status says which."""
    return connection_changed(event_id, types.CONNECTION_DISCONNECTED, connection, company, now)


def connection_failed(event_id: str, connection: Connection, company: Company, now: datetime) -> Event:
    """Linking failed: the last of its errors says why."""
    return connection_changed(event_id, types.CONNECTION_FAILED, connection, company, now)


def connection_deleted(event_id: str, connection: Connection, company: Company, now: datetime) -> Event:
    return connection_changed(event_id, types.CONNECTION_DELETED, connection, company, now)


def connection_needs_reconnection(event_id: str, connection: Connection, company: Company, now: datetime) -> Event:
    """It is linked, but lacks what only its customer can give: the last of its errors says what."""
    return with_need(event_id, types.CONNECTION_NEEDS_RECONNECTION, connection, connection, company, now, None)


def connection_recovered(
    event_id: str, before: Connection, connection: Connection, company: Company, by: str, now: datetime
) -> Event:
    """`before` needed its customer, `connection` works. `by`: "reconnection", or "xero" if it was found well."""
    return with_need(event_id, types.CONNECTION_RECOVERED, before, connection, company, now, by)


def authorization_unanswered(
    event_id: str,
    connection: Connection,
    company: Company,
    started: datetime,
    connected: int,
    limit: int | None,
    now: datetime,
) -> Event:
    """What is known: it was started, and Xero has not answered. How many are connected may explain it."""
    payload = {
        "referenceCompany": reference(company),
        "connection": known(connection_json(connection, environment().public_url)),
        "startedDate": iso(started),
        "message": UNANSWERED,
        "connected": connected,
        "connectionLimit": limit,
    }
    return event(event_id, types.AUTHORIZATION_UNANSWERED, connection.id, payload, company, now)


def connection_changed(
    event_id: str, event_type: str, connection: Connection, company: Company, now: datetime
) -> Event:
    """The connection as it is after the change (as it was, if it is deleted)."""
    shape = connection_json(connection, environment().public_url)
    payload = {"referenceCompany": reference(company), "connection": known(shape)}
    return event(event_id, event_type, connection.id, payload, company, now)


# bank feeds


def source_account_connected(event_id: str, account: SourceAccount, company: Company, now: datetime) -> Event:
    return of_source_account(event_id, types.SOURCE_ACCOUNT_CONNECTED, account, company, now)


def source_account_disconnected(event_id: str, account: SourceAccount, company: Company, now: datetime) -> Event:
    return of_source_account(event_id, types.SOURCE_ACCOUNT_DISCONNECTED, account, company, now)


def write_ended(event_id: str, operation: PushOperation, company: Company, now: datetime) -> Event:
    """A push operation ended: `bankTransactions.write.successful` or `.unsuccessful`.

    Codat's payload does not say why an operation failed; `statusCode`, `errorMessage` and `problem` are ours.
    """
    succeeded = operation.status is PushStatus.SUCCESS
    payload = {
        "id": operation.key,
        "type": "Create",
        "referenceCompany": reference(company),
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
    event_type = types.WRITE_SUCCESSFUL if succeeded else types.WRITE_UNSUCCESSFUL
    subject = feed_id(operation.connection_id, operation.account_id)
    return event(event_id, event_type, subject, payload, company, now)


def held(event_id: str, hold: Hold, waiting: int | None, company: Company | None, now: datetime) -> Event:
    """`waiting`: how many recorded transactions the hold keeps from being sent; None if they are too many to count."""
    return of_hold(event_id, types.HELD, hold, waiting, company, now)


def released(
    event_id: str, hold: Hold, waiting: int, company: Company | None, now: datetime, set_aside: tuple[str, ...] = ()
) -> Event:
    """`waiting`: how many recorded transactions go on. `set_aside`: the ids of those that never will."""
    return of_hold(event_id, types.RELEASED, hold, waiting, company, now, set_aside)


def gap_found(event_id: str, feed: Feed, gap: Gap, company: Company, now: datetime) -> Event:
    """The balances are those after the transaction: what the feed leads to, and what was sent."""
    payload = place(feed, company) | {
        "transactionId": gap.transaction_id,
        "date": gap.date,
        "expectedBalance": gap.expected,
        "givenBalance": gap.given,
        "difference": gap.given - gap.expected,
    }
    return event(event_id, types.GAP_FOUND, feed.id, payload, company, now)


def statement_stuck(event_id: str, feed: Feed, statement: StatementRecord, company: Company, now: datetime) -> Event:
    """Xero took a statement long ago and has not said how it ended."""
    payload = statement_of(feed, statement, company) | {"waiting": feed.waiting}
    return event(event_id, types.STATEMENT_STUCK, feed.id, payload, company, now)


def statement_resolved(event_id: str, feed: Feed, statement: StatementRecord, company: Company, now: datetime) -> Event:
    """An operator said what became of a statement that was stuck."""
    payload = statement_of(feed, statement, company) | {"outcome": statement.resolved_as}
    return event(event_id, types.STATEMENT_RESOLVED, feed.id, payload, company, now)


# the app


def connection_limit_reached(event_id: str, limit: int, connected: int, now: datetime) -> Event:
    reached = {"limit": limit, "connected": connected}
    return event(event_id, types.CONNECTION_LIMIT_REACHED, APP, reached, None, now)


def daily_limit_reached(
    event_id: str, tenant_id: str, limit: int, calls: int, company: Company | None, now: datetime
) -> Event:
    """As many calls as the setting `dailyLimit` leaves for an organisation's statements were made on this day (UTC)."""
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    payload = {
        "tenantId": tenant_id,
        "dailyLimit": limit,
        "calls": calls,
        "goesOnDate": iso(tomorrow),
        "companyId": company.id if company else None,
        "referenceCompany": reference(company) if company else None,
    }
    return event(event_id, types.DAILY_LIMIT_REACHED, tenant_id, payload, company, now)


def settings_changed(event_id: str, changed: Mapping[str, Any], now: datetime) -> Event:
    """`changed`: the settings that changed, by their names here, with their new values."""
    shown = {camel(name): value for name, value in changed.items() if name not in _UNSHOWN_SETTINGS}
    payload = {"changed": [camel(name) for name in sorted(changed)], "settings": shown}
    return event(event_id, types.SETTINGS_CHANGED, APP, payload, None, now)


def consumer_disabled(event_id: str, consumer: Consumer, reason: str, now: datetime) -> Event:
    """`reason` is "gone" (it answered 410) or "failing" (it failed for days). Its query may hold a key: left out."""
    payload = {
        "consumerId": consumer.id,
        "url": consumer.url.split("?")[0],
        "reason": reason,
        "failingSince": iso(consumer.failing_since) if consumer.failing_since else None,
    }
    return _of_consumer(event_id, types.CONSUMER_DISABLED, consumer, payload, now)


def consumer_test(event_id: str, consumer: Consumer, now: datetime) -> Event:
    """For this consumer alone, whatever its filters."""
    payload = {"consumerId": consumer.id, "message": "This is a test. Nothing has happened."}
    return _of_consumer(event_id, types.TEST, consumer, payload, now)


def _of_consumer(event_id: str, event_type: str, consumer: Consumer, payload: dict[str, Any], now: datetime) -> Event:
    """Of no company: consumers belong to the platform."""
    return Event(id=event_id, type=event_type, subject=consumer.subject, time=now, payload=known(payload))
