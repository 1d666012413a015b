"""What a platform does with its companies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from feedlane import connections, event_payloads
from feedlane.company import Company, check_tags, clean_name
from feedlane.connection import Connection
from feedlane.ids import NewId
from feedlane.queues import Queues
from feedlane.store import keys
from feedlane.store.records import emitted
from feedlane.store.store import Store
from feedlane.upstream import Upstream

# Above this many companies it is cheaper to read the list of all connections than those of each company.
FEW = 50


def create(
    store: Store, now: datetime, new_id: NewId, name: str, description: str | None, tags: dict[str, str] | None
) -> Company:
    company = Company(
        id=new_id(), name=clean_name(name), description=description, tags=check_tags(tags or {}), created=now
    )
    event = event_payloads.company_created(new_id(), company, now)
    store.commit(store.add_company(company), emitted(event))
    return company


def replace(store: Store, company_id: str, name: str, description: str | None, tags: dict[str, str] | None) -> Company:
    """What is not given is emptied."""
    company = store.company(company_id).but(name=clean_name(name), description=description, tags=check_tags(tags or {}))
    store.commit(store.put_company(company))
    return company


def update(
    store: Store, company_id: str, name: str | None, description: str | None, tags: dict[str, str] | None
) -> Company:
    """What is not given stays as it is."""
    company = store.company(company_id)
    company = company.but(
        name=company.name if name is None else clean_name(name),
        description=company.description if description is None else description,
        tags=company.tags if tags is None else check_tags(tags),
    )
    store.commit(store.put_company(company))
    return company


def delete(
    store: Store,
    upstream: Upstream,
    queues: Queues,
    disconnect: connections.Disconnect,
    now: datetime,
    new_id: NewId,
    company_id: str,
) -> None:
    """The company with all its connections, each of which ends at Xero first. Raises `Unavailable` if one cannot."""
    company = store.company(company_id)
    for connection in store.connections(company_id):
        connections.delete(store, upstream, queues, disconnect, now, new_id, company_id, connection.id)
    event = event_payloads.company_deleted(new_id(), company, now)
    store.commit(store.remove_company(company), emitted(event))


def connections_of(store: Store, companies: Iterable[Company]) -> dict[str, list[Connection]]:
    """The connections of each of these companies."""
    wanted = [company.id for company in companies]
    if len(wanted) <= FEW:
        return {id: store.connections(id) for id in wanted}
    found: dict[str, list[Connection]] = {id: [] for id in wanted}
    for item in store.table.query(keys.CONNECTIONS, index=True):
        if item["company_id"] in found:
            found[item["company_id"]].append(Connection.model_validate(item))
    return found
