"""Creates and changes the companies of a platform."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import Company, check_tags, check_upstream, clean_name
from feedlane.events.outbox import put_event
from feedlane.ports import Ports
from feedlane.store.attempts import attempts
from feedlane.store.store import Store


def create(
    ports: Ports,
    now: datetime,
    name: str,
    description: str | None,
    tags: dict[str, str] | None,
    upstream: str | None = None,
) -> Company:
    company = Company(
        id=ports.new_id(),
        name=clean_name(name),
        description=description,
        tags=check_tags(tags or {}),
        upstream=check_upstream(upstream),
        created=now,
    )
    event = put_event(company_events.company_created(ports, company, now))
    for attempt in attempts("the list of companies"):
        company = company.but(block=company_items.company_blocks(ports.store).newest)
        with attempt:  # others may be created at the same time
            ports.store.commit(*company_items.add_counted_company(company), event)
    return company


def replace(store: Store, company_id: str, name: str, description: str | None, tags: dict[str, str] | None) -> Company:
    """Fields that are not given become empty."""
    changes = {"name": clean_name(name), "description": description, "tags": check_tags(tags or {})}
    return _change(store, company_id, changes)


def update(
    store: Store, company_id: str, name: str | None, description: str | None, tags: dict[str, str] | None
) -> Company:
    """Fields that are None stay as they are."""
    changes: dict[str, Any] = {} if name is None else {"name": clean_name(name)}
    changes |= {} if description is None else {"description": description}
    changes |= {} if tags is None else {"tags": check_tags(tags)}
    return _change(store, company_id, changes)


def choose_upstream(store: Store, company_id: str, name: str | None) -> Company:
    """For its next connections: those that it has keep theirs. None: as the settings say."""
    return _change(store, company_id, {"upstream": check_upstream(name)})


def _change(store: Store, company_id: str, changes: dict[str, Any]) -> Company:
    for attempt in attempts(f"company {company_id}"):
        before = company_items.company(store, company_id)
        company = before.but(**changes)
        name = [] if company.name == before.name else [company_items.put_name(company)]
        with attempt:  # a connection may be created at the same time
            store.commit(company_items.put_company(company), *name)
    return company
