"""Events of companies, connections and source accounts. Events with the same `subject` keep their order."""

from __future__ import annotations

from datetime import datetime

from feedlane.clock import iso
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.companies.page_links import portal_company_link
from feedlane.companies.shapes import company_json, connection_json, source_account_json
from feedlane.companies.source_account import SourceAccount
from feedlane.customer_messages import customer_messages
from feedlane.events import event as event_types
from feedlane.events.event import Event, Json, without_nulls
from feedlane.ids import feed_id
from feedlane.ports import Ports
from feedlane.scope import APP_SUBJECT

UNANSWERED_MESSAGE = (
    "An authorisation was started, and Xero has not answered within 10 minutes. What happened at Xero is not known: "
    "the window may have been closed, or Xero may have shown a page of its own, as it does at the app's connection "
    "limit."
)


def build_event(
    ports: Ports,
    event_type: str,
    subject: str,
    payload: Json,
    company: Company | None,
    now: datetime,
    event_id: str | None = None,
) -> Event:
    """An event of a company, or of none. `event_id` is given where several may write it, and one succeeds."""
    return Event(
        id=event_id or ports.new_id(),
        type=event_type,
        subject=subject,
        time=now,
        company_id=company.id if company else None,
        company_tags=company.tags if company else {},
        payload=without_nulls(payload),
    )


def company_reference(ports: Ports, company: Company) -> Json:
    """The company as every event of it shows it."""
    shape = without_nulls(company.model_dump(include={"id", "name", "description", "tags"}))
    url = ports.public_url
    return shape | ({"links": {"portal": portal_company_link(url, company.id)}} if url else {})


def company_created(ports: Ports, company: Company, now: datetime) -> Event:
    return _company_event(ports, event_types.COMPANY_CREATED, company, now)


def company_deleted(ports: Ports, company: Company, now: datetime) -> Event:
    return _company_event(ports, event_types.COMPANY_DELETED, company, now)


def connection_created(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    return _connection_event(ports, event_types.CONNECTION_CREATED, connection, company, now)


def connection_connected(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    return _connection_event(ports, event_types.CONNECTION_CONNECTED, connection, company, now)


def connection_reconnected(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    return _connection_event(ports, event_types.CONNECTION_RECONNECTED, connection, company, now)


def connection_disconnected(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    """Unlinked by the platform, or deauthorised by the customer: the connection's status says which."""
    return _connection_event(ports, event_types.CONNECTION_DISCONNECTED, connection, company, now)


def connection_failed(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    """Linking failed: the last of the connection's errors says why."""
    return _connection_event(ports, event_types.CONNECTION_FAILED, connection, company, now)


def connection_deleted(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    return _connection_event(ports, event_types.CONNECTION_DELETED, connection, company, now)


def connection_needs_reconnection(ports: Ports, connection: Connection, company: Company, now: datetime) -> Event:
    """A linked connection needs its customer: the last of its errors says why."""
    event = _reconnection_event(
        ports, event_types.CONNECTION_NEEDS_RECONNECTION, connection, connection, company, now, None
    )
    fault = connection.reconnection_fault
    messages = customer_messages(fault.reason if fault else "") or customer_messages("reconnection-needed")
    return event.but(payload={**event.payload, "customerMessages": messages})


def connection_recovered(
    ports: Ports, before: Connection, connection: Connection, company: Company, by: str, now: datetime
) -> Event:
    """`before` needed its customer, `connection` works. `by` is "reconnection", or "xero" if Xero lists it again."""
    return _reconnection_event(ports, event_types.CONNECTION_RECOVERED, before, connection, company, now, by)


def connection_upstream_change(
    ports: Ports, before: Connection, connection: Connection, company: Company, now: datetime
) -> Event:
    """The change of the upstream has come to the state that `connection` shows; `before` has the former upstream."""
    change = connection.change
    payload = {
        "referenceCompany": company_reference(ports, company),
        "connection": without_nulls(connection_json(connection, ports.public_url)),
        "state": change.state if change else None,
        "from": before.upstream,
        "to": change.to if change else None,
    }
    return build_event(ports, event_types.CONNECTION_UPSTREAM_CHANGE, connection.id, payload, company, now)


def authorization_unanswered(
    ports: Ports,
    connection: Connection,
    company: Company,
    started: datetime,
    connected: int,
    limit: int | None,
    now: datetime,
) -> Event:
    """Xero has not answered an authorisation. `connected` and `limit` may explain why."""
    payload = {
        "referenceCompany": company_reference(ports, company),
        "connection": without_nulls(connection_json(connection, ports.public_url)),
        "startedDate": iso(started),
        "message": UNANSWERED_MESSAGE,
        "connected": connected,
        "connectionLimit": limit,
    }
    return build_event(ports, event_types.AUTHORIZATION_UNANSWERED, connection.id, payload, company, now)


def source_account_connected(ports: Ports, account: SourceAccount, company: Company, now: datetime) -> Event:
    return _source_account_event(ports, event_types.SOURCE_ACCOUNT_CONNECTED, account, company, now)


def source_account_disconnected(ports: Ports, account: SourceAccount, company: Company, now: datetime) -> Event:
    return _source_account_event(ports, event_types.SOURCE_ACCOUNT_DISCONNECTED, account, company, now)


def connection_limit_reached(ports: Ports, limit: int, connected: int, now: datetime) -> Event:
    payload = {"limit": limit, "connected": connected}
    return build_event(ports, event_types.CONNECTION_LIMIT_REACHED, APP_SUBJECT, payload, None, now)


def _company_event(ports: Ports, event_type: str, company: Company, now: datetime) -> Event:
    shape = company_json(company, (), ports.public_url)
    del shape["dataConnections"]
    return build_event(ports, event_type, company.id, shape, company, now)


def _connection_event(ports: Ports, event_type: str, connection: Connection, company: Company, now: datetime) -> Event:
    """Shows the connection as it is after the change, or as it was if it is deleted."""
    shape = connection_json(connection, ports.public_url)
    payload = {"referenceCompany": company_reference(ports, company), "connection": without_nulls(shape)}
    return build_event(ports, event_type, connection.id, payload, company, now)


def _reconnection_event(
    ports: Ports,
    event_type: str,
    before: Connection,
    connection: Connection,
    company: Company,
    now: datetime,
    by: str | None,
) -> Event:
    """With the fault for which `before` needed its customer."""
    fault = before.reconnection_fault
    payload = {
        "referenceCompany": company_reference(ports, company),
        "connection": without_nulls(connection_json(connection, ports.public_url)),
        "reason": fault.reason if fault else None,
        "since": iso(fault.errored_on) if fault else None,
        "by": by,
    }
    return build_event(ports, event_type, connection.id, payload, company, now)


def _source_account_event(
    ports: Ports, event_type: str, account: SourceAccount, company: Company, now: datetime
) -> Event:
    payload = {
        "referenceCompany": company_reference(ports, company),
        "companyId": company.id,
        "connectionId": account.connection_id,
        "sourceAccount": without_nulls(source_account_json(account)),
    }
    return build_event(ports, event_type, feed_id(account.connection_id, account.id), payload, company, now)
