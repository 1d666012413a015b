"""Events about holds: placed and released."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedlane.clock import iso
from feedlane.companies.company import Company
from feedlane.companies.events import build_event, company_reference
from feedlane.customer_messages import customer_messages
from feedlane.events import event as event_types
from feedlane.events.event import Event, Json
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.scope import Scope

SET_ASIDE_IDS_MAX = 100


def held(ports: Ports, hold: Hold, waiting: int | None, company: Company | None, now: datetime) -> Event:
    """`waiting`: how many recorded transactions the hold stops; None if they are too many to count."""
    event = _hold_event(ports, event_types.HELD, hold, waiting, company, now)
    messages = customer_messages(hold.reason) if event.company_id else None
    return event.but(payload={**event.payload, "customerMessages": messages}) if messages else event


def released(
    ports: Ports, hold: Hold, waiting: int, company: Company | None, now: datetime, set_aside: tuple[str, ...] = ()
) -> Event:
    """`waiting`: how many recorded transactions are released. `set_aside`: the ids of those that are never sent.

    The event names the first of them and counts all: a thousand long ids would not fit into an item.
    """
    return _hold_event(ports, event_types.RELEASED, hold, waiting, company, now, set_aside)


def set_aside_fields(ids: Sequence[str]) -> Json:
    """The first of the ids, and how many there are; nothing if there are none."""
    return {"setAside": list(ids[:SET_ASIDE_IDS_MAX]) or None, "setAsideCount": len(ids) or None}


def _hold_event(
    ports: Ports,
    event_type: str,
    hold: Hold,
    waiting: int | None,
    company: Company | None,
    now: datetime,
    set_aside: tuple[str, ...] = (),
) -> Event:
    """A hold of the app concerns every company, so it does not name the one whose push was refused."""
    named_company = None if hold.scope is Scope.APP else company
    payload = {
        "holdId": hold.id,
        "scope": hold.scope.value,
        "reason": hold.reason,
        "problem": hold.problem.model_dump(),
        "since": iso(hold.since),
        "line": hold.line,
        "transactionId": hold.transaction_id,
        "waiting": waiting,
        **set_aside_fields(set_aside),
        "tenantId": hold.tenant_id,
        "companyId": hold.company_id,
        "connectionId": hold.connection_id,
        "accountId": hold.account_id,
        "referenceCompany": company_reference(ports, named_company) if named_company else None,
    }
    return build_event(ports, event_type, hold.subject, payload, named_company, now)
