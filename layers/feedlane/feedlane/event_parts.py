"""What the payloads of events are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feedlane.clock import iso
from feedlane.codat.companies import company_json, connection_json
from feedlane.codat.source_accounts import source_account_json
from feedlane.company import Company
from feedlane.connection import Connection
from feedlane.environment import environment
from feedlane.event import Event
from feedlane.feed import Feed, feed_id
from feedlane.hold import Hold, Scope
from feedlane.links import portal_company
from feedlane.source_account import SourceAccount
from feedlane.statement import StatementRecord

Json = dict[str, Any]


def event(event_id: str, event_type: str, subject: str, payload: Json, company: Company | None, now: datetime) -> Event:
    return Event(
        id=event_id,
        type=event_type,
        subject=subject,
        time=now,
        company_id=company.id if company else None,
        company_tags=company.tags if company else {},
        payload=known(payload),
    )


def with_need(
    event_id: str,
    event_type: str,
    before: Connection,
    connection: Connection,
    company: Company,
    now: datetime,
    by: str | None,
) -> Event:
    need = before.need
    payload = {
        "referenceCompany": reference(company),
        "connection": known(connection_json(connection, environment().public_url)),
        "reason": need.reason if need else None,
        "since": iso(need.errored_on) if need else None,
        "by": by,
    }
    return event(event_id, event_type, connection.id, payload, company, now)


def of_company(event_id: str, event_type: str, company: Company, now: datetime) -> Event:
    shape = company_json(company, (), environment().public_url)
    del shape["dataConnections"]
    return event(event_id, event_type, company.id, shape, company, now)


def of_source_account(event_id: str, event_type: str, account: SourceAccount, company: Company, now: datetime) -> Event:
    payload = {
        "referenceCompany": reference(company),
        "companyId": company.id,
        "connectionId": account.connection_id,
        "sourceAccount": known(source_account_json(account)),
    }
    return event(event_id, event_type, feed_id(account.connection_id, account.id), payload, company, now)


def of_hold(
    event_id: str,
    event_type: str,
    hold: Hold,
    waiting: int | None,
    company: Company | None,
    now: datetime,
    set_aside: tuple[str, ...] = (),
) -> Event:
    """A hold of the app is nobody's own: it does not name the company whose push met it."""
    concerned = None if hold.scope is Scope.APP else company
    payload = {
        "holdId": hold.id,
        "scope": hold.scope.value,
        "reason": hold.reason,
        "problem": hold.problem.model_dump(),
        "since": iso(hold.since),
        "waiting": waiting,
        "setAside": list(set_aside) or None,
        "tenantId": hold.tenant_id,
        "companyId": hold.company_id,
        "connectionId": hold.connection_id,
        "accountId": hold.account_id,
        "referenceCompany": reference(concerned) if concerned else None,
    }
    return event(event_id, event_type, hold.subject, payload, concerned, now)


def reference(company: Company) -> Json:
    shown = known(company.model_dump(include={"id", "name", "description", "tags"}))
    url = environment().public_url
    return shown | ({"links": {"portal": portal_company(url, company.id)}} if url else {})


def place(feed: Feed, company: Company) -> Json:
    return {
        "referenceCompany": reference(company),
        "companyId": feed.company_id,
        "connectionId": feed.connection_id,
        "accountId": feed.account_id,
    }


def statement_of(feed: Feed, statement: StatementRecord, company: Company) -> Json:
    return place(feed, company) | {
        "statementNumber": statement.number,
        "statementId": statement.upstream_id,
        "transactions": statement.last - statement.first + 1,
        "startDate": statement.start_date,
        "endDate": statement.end_date,
        "postedOnDate": iso(statement.posted_on) if statement.posted_on else None,
    }


def known(shape: Json) -> Json:
    """Without what is not known: an absent field, never a null."""
    return {name: value for name, value in shape.items() if value is not None}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
