"""What is told about companies, connections and source accounts. `subject` says what an event keeps order with."""

from __future__ import annotations

from datetime import datetime

from feedlane.clock import iso
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.page_links import portal_company_link
from feedlane.companies.shapes import company_json, connection_json, source_account_json
from feedlane.companies.source_account import SourceAccount
from feedlane.events import event as event_types
from feedlane.events.event import Event, Json, without_nulls
from feedlane.ids import feed_id
from feedlane.ports import Ports
from feedlane.scope import APP_SUBJECT


def build_event(
    ports: Ports,
    event_type: str,
    subject: str,
    payload: Json,
    company: Company | None,
    now: datetime,
    event_id: str | None = None,
) -> Event:
    """An event of a company, or of none. `event_id` is for one that several may write, and only one does."""
    return Event(
        id=event_id or ports.new_id(),
        type=event_type,
        subject=subject,
        time=now,
        company_id=company.id if company else None,
        company_tags=company.tags if company else {},
        payload=without_nulls(payload),
    )


def reconnection_event(
    ports: Ports,
    event_type: str,
    before: Connection,
    connection: Connection,
    company: Company,
    now: datetime,
    by: str | None,
) -> Event:
    need = before.reconnection_fault
    payload = {
        "referenceCompany": company_reference(ports, company),
        "connection": without_nulls(connection_json(connection, ports.public_url)),
        "reason": need.reason if need else None,
        "since": iso(need.errored_on) if need else None,
        "by": by,
    }
    return build_event(ports, event_type, connection.id, payload, company, now)


def company_event(ports: Ports, event_type: str, company: Company, now: datetime) -> Event:
    shape = company_json(company, (), ports.public_url)
    del shape["dataConnections"]
    return build_event(ports, event_type, company.id, shape, company, now)


def source_account_event(
    ports: Ports, event_type: str, account: SourceAccount, company: Company, now: datetime
) -> Event:
    payload = {
        "referenceCompany": company_reference(ports, company),
        "companyId": company.id,
        "connectionId": account.connection_id,
        "sourceAccount": without_nulls(source_account_json(account)),
    }
    return build_event(ports, event_type, feed_id(account.connection_id, account.id), payload, company, now)


def company_reference(ports: Ports, company: Company) -> Json:
    shown = without_nulls(company.model_dump(include={"id", "name", "description", "tags"}))
    url = ports.public_url
    return shown | ({"links": {"portal": portal_company_link(url, company.id)}} if url else {})


UNANSWERED_MESSAGE = (
    "An authorisation was started, and Xero has not answered within 10 minutes. What happened at Xero is not known: "
    "the window may have been closed, or Xero may have shown a page of its own, as it does at the app's connection "
    "limit."
)


# companies and connections


def company_created(ports: Ports, company: Company, now: datetime) -> Event:
    return company_event(ports, event_types.COMPANY_CREATED, company, now)


def company_deleted(ports: Ports, company: Company, now: datetime) -> Event:
    return company_event(ports, event_types.COMPANY_DELETED, company, now)


def connection_created(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    return connection_changed(ports, event_types.CONNECTION_CREATED, connection, company, now)


def connection_connected(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    return connection_changed(ports, event_types.CONNECTION_CONNECTED, connection, company, now)


def connection_reconnected(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    return connection_changed(ports, event_types.CONNECTION_RECONNECTED, connection, company, now)


def connection_disconnected(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    """Unlinked by the platform, or deauthorised by the customer: its status says which."""
    return connection_changed(ports, event_types.CONNECTION_DISCONNECTED, connection, company, now)


def connection_failed(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    """Linking failed: the last of its errors says why."""
    return connection_changed(ports, event_types.CONNECTION_FAILED, connection, company, now)


def connection_deleted(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    return connection_changed(ports, event_types.CONNECTION_DELETED, connection, company, now)


def connection_needs_reconnection(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    """It is linked, but lacks what only its customer can give: the last of its errors says what."""
    return reconnection_event(
        ports, event_types.CONNECTION_NEEDS_RECONNECTION, connection, connection, company, now, None
    )


def connection_recovered(
    ports: Ports, before: Connection, connection: Connection, company: Company, by: str, now: datetime
) -> Event:
    """`before` needed its customer, `connection` works. `by`: "reconnection", or "xero" if it was found well."""
    return reconnection_event(ports, event_types.CONNECTION_RECOVERED, before, connection, company, now, by)


def authorization_unanswered(
    ports: Ports,
    connection: Connection,
    company: Company,
    started: datetime,
    connected: int,
    limit: int | None,
    now: datetime,
) -> Event:
    """What is known: it was started, and Xero has not answered. How many are connected may explain it."""
    payload = {
        "referenceCompany": company_reference(ports, company),
        "connection": without_nulls(connection_json(connection, ports.public_url)),
        "startedDate": iso(started),
        "message": UNANSWERED_MESSAGE,
        "connected": connected,
        "connectionLimit": limit,
    }
    return build_event(ports, event_types.AUTHORIZATION_UNANSWERED, connection.id, payload, company, now)


def connection_changed(ports: Ports, event_type: str, connection: Connection, company: Company, now: datetime) -> Event:
    """The connection as it is after the change (as it was, if it is deleted)."""
    shape = connection_json(connection, ports.public_url)
    payload = {"referenceCompany": company_reference(ports, company), "connection": without_nulls(shape)}
    return build_event(ports, event_type, connection.id, payload, company, now)


# bank feeds


def source_account_connected(ports: Ports, account: SourceAccount, company: Company, now: datetime) -> Event:
    return source_account_event(ports, event_types.SOURCE_ACCOUNT_CONNECTED, account, company, now)


def source_account_disconnected(ports: Ports, account: SourceAccount, company: Company, now: datetime) -> Event:
    return source_account_event(ports, event_types.SOURCE_ACCOUNT_DISCONNECTED, account, company, now)


# the app


def connection_limit_reached(ports: Ports, limit: int, connected: int, now: datetime) -> Event:
    reached = {"limit": limit, "connected": connected}
    return build_event(ports, event_types.CONNECTION_LIMIT_REACHED, APP_SUBJECT, reached, None, now)
