"""The portal's list of companies, also of those without a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.holds import items as hold_items
from feedlane.holds.counts import connections_with_held_feeds
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.store import Store
from feedlane.store.table import Item
from feedlane.web.portal import states
from feedlane.web.portal.listing import ListQuery, list_query, read_page
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.states import State, connection_state
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site


@dataclass(frozen=True)
class CompanyRow:
    company: Company
    connections: Sequence[Connection]
    accounts: int
    state: State


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    query = list_query(request, "q", "state")
    page = read_page(
        site.store,
        query,
        keys.COMPANIES,
        lambda items: _rows(site.store, items),
        (lambda row: _is_wanted(row, query)) if query.is_filtered else None,
        newest_first=True,
        total=company_items.company_blocks(site.store).total,
    )
    return portal_page(
        site,
        operator,
        "portal_companies",
        title="Companies",
        section="companies",
        page=page,
        states=states.COMPANY_STATES,
    )


def _rows(store: Store, items: list[Item]) -> list[CompanyRow]:
    companies = [Company.model_validate(item) for item in items]
    by_company = company_items.connections_by_company(store, companies)
    connections = [connection for listed in by_company.values() for connection in listed]
    counts = store.table.get_many(keys.account_count(connection.id) for connection in connections)
    with_held_feeds = connections_with_held_feeds(store, (one.id for one in connections))
    held = with_held_feeds | _held_connections(store, connections)
    rows = []
    for company in companies:
        listed = by_company[company.id]
        accounts = sum(int(counts.get(keys.account_count(one.id), {}).get("count", 0)) for one in listed)
        state = states.worst(connection_state(connection, connection.id in held) for connection in listed)
        rows.append(CompanyRow(company, listed, accounts, state))
    return rows


def _held_connections(store: Store, connections: Sequence[Connection]) -> set[str]:
    """The ids of those that a hold stops as a whole."""
    subjects = {connection.id: _subjects(connection) for connection in connections}
    holds = hold_items.holds_on(store, dict.fromkeys(subject for listed in subjects.values() for subject in listed))
    standing = {(hold.scope, hold.subject) for hold in holds}
    return {id for id, listed in subjects.items() if not standing.isdisjoint(listed)}


def _subjects(connection: Connection) -> list[tuple[Scope, str]]:
    tenant = [(Scope.TENANT, connection.tenant.id)] if connection.tenant else []
    app = [(Scope.APP, connection.app_subject)] if connection.is_linked else []
    return [*app, *tenant, (Scope.CONNECTION, connection.id)]


def _is_wanted(row: CompanyRow, query: ListQuery) -> bool:
    return query["state"] in ("", row.state.name) and has_text(row.company, row.connections, query["q"])


def has_text(company: Company, connections: Sequence[Connection], text: str) -> bool:
    """Whether the text is in its name, its tags, its id, or an organisation's name."""
    tags = (f"{name}:{value}" for name, value in company.tags.items())
    organisations = (connection.tenant.name for connection in connections if connection.tenant)
    wanted = text.casefold()
    return any(wanted in one.casefold() for one in (company.name, company.id, *tags, *organisations))
