"""Creates and changes the companies of a platform."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import events as company_events
from feedlane.companies import items as company_items
from feedlane.companies.company import Company, check_tags, clean_name
from feedlane.events.outbox import put_event
from feedlane.ports import Ports
from feedlane.store.store import Store


def create(ports: Ports, now: datetime, name: str, description: str | None, tags: dict[str, str] | None) -> Company:
    company = Company(
        id=ports.new_id(), name=clean_name(name), description=description, tags=check_tags(tags or {}), created=now
    )
    event = company_events.company_created(ports, company, now)
    ports.store.commit(company_items.add_company(company), put_event(event))
    return company


def replace(store: Store, company_id: str, name: str, description: str | None, tags: dict[str, str] | None) -> Company:
    """Fields that are not given become empty."""
    company = company_items.company(store, company_id).but(
        name=clean_name(name), description=description, tags=check_tags(tags or {})
    )
    store.commit(company_items.put_company(company))
    return company


def update(
    store: Store, company_id: str, name: str | None, description: str | None, tags: dict[str, str] | None
) -> Company:
    """Fields that are None stay as they are."""
    company = company_items.company(store, company_id)
    company = company.but(
        name=company.name if name is None else clean_name(name),
        description=company.description if description is None else description,
        tags=company.tags if tags is None else check_tags(tags),
    )
    store.commit(company_items.put_company(company))
    return company
