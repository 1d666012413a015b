"""The portal's list of companies, also of those without a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection
from feedlane.holds import items as hold_items
from feedlane.holds.counts import connections_with_held_feeds
from feedlane.holds.hold import Hold
from feedlane.scope import Scope
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.store import Store
from feedlane.store.table import Item
from feedlane.web.portal import states
from feedlane.web.portal.connection_words import name_of
from feedlane.web.portal.listing import ListQuery, list_query, read_page
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.states import State, connection_state
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site

BY_NAME = "name"
_DONE = {"deleted": "The company is deleted, with everything that it had."}


@dataclass(frozen=True)
class CompanyRow:
    """`connected` of its `accounts` are: none of a connection that has ended."""

    company: Company
    connections: Sequence[Connection]
    accounts: int
    connected: int
    state: State

    @property
    def organisations(self) -> list[str]:
        return [name_of(one) for one in self.connections if one.tenant or one.former_tenant]


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    query = list_query(request, "q", "state", sorts=(BY_NAME,))
    is_by_name = query.sort == BY_NAME
    page = read_page(
        site.store,
        query,
        keys.COMPANY_NAMES if is_by_name else keys.COMPANIES,
        lambda items: _rows(site.store, _companies(site.store, items, is_by_name)),
        (lambda row: _is_wanted(row, query)) if query.is_filtered else None,
        newest_first=not is_by_name,
        total=company_items.company_blocks(site.store).total,
    )
    return portal_page(
        site,
        operator,
        "companies/companies",
        title="Companies",
        section="companies",
        page=page,
        states=states.COMPANY_STATES,
        done=_DONE.get(request.query.get("done", ""), ""),
    )


def _companies(store: Store, items: list[Item], is_by_name: bool) -> list[Company]:
    """The list by name only has their ids. It may be a moment behind, and have one that has just been deleted."""
    if not is_by_name:
        return [Company.model_validate(item) for item in items]
    found = store.table.get_many(keys.company(item["id"]) for item in items)
    companies = []
    for item in items:
        company = record_in(Company, found.get(keys.company(item["id"])))
        companies.append(company or Company(id=item["id"], name=item["name"], created=item["created"]))
    return companies


def _rows(store: Store, companies: list[Company]) -> list[CompanyRow]:
    by_company = company_items.connections_by_company(store, companies)
    connections = [connection for listed in by_company.values() for connection in listed]
    counts = company_items.connection_counts(store, (connection.id for connection in connections))
    with_held_feeds = connections_with_held_feeds(store, (one.id for one in connections))
    held = with_held_feeds | {id for id, holds in holds_by_connection(store, connections).items() if holds}
    rows = []
    for company in companies:
        listed = by_company[company.id]
        state = states.worst(
            connection_state(one, one.id in held, counts[one.id].connected) for one in listed if not one.moved_to
        )
        accounts = sum(counts[one.id].accounts for one in listed if not one.moved_to)
        connected = sum(counts[one.id].connected for one in listed if one.is_linked)
        rows.append(CompanyRow(company, listed, accounts, connected, state))
    return rows


def holds_by_connection(store: Store, connections: Sequence[Connection]) -> dict[str, list[Hold]]:
    """The holds that stop each of them as a whole, by its id."""
    subjects = {connection.id: _subjects(connection) for connection in connections}
    holds = hold_items.holds_on(store, dict.fromkeys(subject for listed in subjects.values() for subject in listed))
    standing = {(hold.scope, hold.subject): hold for hold in holds}
    return {id: [standing[subject] for subject in listed if subject in standing] for id, listed in subjects.items()}


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
