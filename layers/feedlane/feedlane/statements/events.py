"""The events about statements, and about the daily limit on calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from feedlane.clock import iso
from feedlane.companies.company import Company
from feedlane.companies.events import build_event, company_reference
from feedlane.events import event as event_types
from feedlane.events.event import Event, Json
from feedlane.feeds.events import feed_reference
from feedlane.feeds.feed import Feed
from feedlane.holds.events import set_aside_fields
from feedlane.ports import Ports
from feedlane.statements.statement import Doubt, StatementRecord


def statement_payload(ports: Ports, feed: Feed, statement: StatementRecord, company: Company) -> Json:
    return feed_reference(ports, feed, company) | {
        "statementNumber": statement.number,
        "statementId": statement.upstream_id,
        "transactions": statement.last - statement.first + 1,
        "startDate": statement.start_date,
        "endDate": statement.end_date,
        "postedOnDate": iso(statement.posted_on) if statement.posted_on else None,
    }


def statement_stuck(ports: Ports, feed: Feed, statement: StatementRecord, company: Company, now: datetime) -> Event:
    """It is not known, or not true, that Xero has the statement's lines. `doubt` says why."""
    is_unconfirmed = statement.doubt is Doubt.NOT_CONFIRMED and statement.problems
    payload = statement_payload(ports, feed, statement, company) | {
        "waiting": feed.waiting,
        "reason": statement.doubt,
        "problem": statement.problems[-1].model_dump() if is_unconfirmed else None,
        "transactionsAtXero": statement.lines_there,
    }
    return build_event(ports, event_types.STATEMENT_STUCK, feed.id, payload, company, now)


def statement_resolved(
    ports: Ports,
    feed: Feed,
    statement: StatementRecord,
    company: Company,
    now: datetime,
    set_aside: Sequence[str] = (),
) -> Event:
    """An operator resolved a stuck statement. `set_aside`: the ids of its transactions that are not sent again."""
    payload = statement_payload(ports, feed, statement, company) | {
        "outcome": statement.resolved_as,
        **set_aside_fields(set_aside),
    }
    return build_event(ports, event_types.STATEMENT_RESOLVED, feed.id, payload, company, now)


def daily_limit_reached(
    ports: Ports, event_id: str, tenant_id: str, limit: int, calls: int, company: Company | None, now: datetime
) -> Event:
    """An organisation's statements have used all calls that the setting `dailyLimit` leaves them on this day (UTC)."""
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    payload = {
        "tenantId": tenant_id,
        "dailyLimit": limit,
        "calls": calls,
        "goesOnDate": iso(tomorrow),
        "companyId": company.id if company else None,
        "referenceCompany": company_reference(ports, company) if company else None,
    }
    return build_event(ports, event_types.DAILY_LIMIT_REACHED, tenant_id, payload, company, now, event_id)
