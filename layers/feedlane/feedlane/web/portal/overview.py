"""The portal's overview of holds and connections, and each company's page."""

from __future__ import annotations

from dataclasses import dataclass

from feedlane.companies import connection_limit
from feedlane.companies import items as company_items
from feedlane.companies.company import Company
from feedlane.companies.connection import Connection, ConnectionFault
from feedlane.companies.page_links import connection_link
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.doors import place_in
from feedlane.errors import NotFound
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds.held_feeds import WaitingCount, count_waiting
from feedlane.holds.hold import Hold
from feedlane.ids import feed_id
from feedlane.link import passwords as link_passwords
from feedlane.link.standing_errors import standing_errors
from feedlane.settings import items as settings_items
from feedlane.settings.settings import limit_of
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord
from feedlane.store import keys
from feedlane.store.records import record_in
from feedlane.store.table import Index
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

CONNECTIONS_PER_PAGE = 25
HOLDS_PER_PAGE = 25
# Of an id: a longer text is no key that DynamoDB takes, nor is an empty one.
OPERATIONS_SHOWN_MAX = 20
FAULTS_SHOWN_MAX = 3


@dataclass(frozen=True)
class HoldRow:
    hold: Hold
    waiting: WaitingCount
    company: Company | None


@dataclass(frozen=True)
class ConnectionRow:
    connection: Connection
    company: Company | None
    accounts: int
    connected_accounts: int


@dataclass(frozen=True)
class FeedRow:
    account: SourceAccount
    feed: Feed | None
    is_held: bool
    in_doubt: StatementRecord | None

    @property
    def waiting(self) -> int:
        return self.feed.waiting if self.feed else 0

    @property
    def holes(self) -> int:
        return self.feed.holes if self.feed else 0

    @property
    def recorded_through(self) -> str:
        return self.feed.recorded_date if self.feed else ""


def overview(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    store, settings = site.store, settings_items.settings(site.store)
    holds_after, after = (_place(request, name) for name in ("holdsAfter", "after"))
    holds = hold_items.holds(store, holds_after, HOLDS_PER_PAGE + 1)
    hold_rows = _hold_rows(site, holds[:HOLDS_PER_PAGE])
    start = after or None
    items = store.table.query(keys.CONNECTIONS, index=Index.LISTS, start=start, limit=CONNECTIONS_PER_PAGE + 1)
    connections = [Connection.model_validate(item) for item in items]
    more_holds = len(holds) > HOLDS_PER_PAGE
    released = request.query.get("released", "")
    return portal_page(
        site,
        operator,
        "portal_overview",
        title="Overview",
        section="overview",
        settings=settings,
        limit=limit_of(settings),
        connected_organisations=connection_limit.taken_places(store),
        hold_rows=hold_rows,
        waiting=WaitingCount(
            sum(row.waiting.number for row in hold_rows),
            all(row.waiting.is_complete for row in hold_rows) and not more_holds and "holdsAfter" not in request.query,
        ),
        more_holds=more_holds,
        next_holds=hold_rows[-1].hold.id if more_holds else "",
        connection_rows=_connection_rows(site, connections[:CONNECTIONS_PER_PAGE]),
        next_cursor=connections[CONNECTIONS_PER_PAGE].id if len(connections) > CONNECTIONS_PER_PAGE else "",
        done=_RELEASED_MESSAGES.get(released, ""),
    )


def company_page(site: Site, request: Request, company_id: str) -> Response:
    operator = require_operator(site, request)
    company = company_items.company(site.store, company_id)
    connections = company_items.connections(site.store, company.id)
    settings = settings_items.settings(site.store)
    standing = standing_errors(site.store, settings, connections)
    passwords = (
        link_passwords.issue_connection_passwords(site.store, site.clock(), site.new_secret, connections)
        if settings.link_passwords
        else {}
    )
    return portal_page(
        site,
        operator,
        "portal_company",
        title=company.name,
        section="",
        company=company,
        link_passwords=settings.link_passwords,
        connections=[
            {
                "connection": connection,
                "link": connection_link(request.base_url, company.id, connection.id, passwords.get(connection.id, "")),
                "faults": _unresolved(connection)[-FAULTS_SHOWN_MAX:] + standing[connection.id],
                "feed_rows": _feed_rows(site, connection),
            }
            for connection in connections
        ],
        operations=list(push_operation_items.operations_of_company(site.store, company.id, OPERATIONS_SHOWN_MAX)),
    )


def release(site: Site, request: Request, hold_id: str) -> Response:
    """Releases the hold: the waiting transactions are sent in order, under new push operations."""
    require_operator(site, request)
    try:
        hold = hold_items.hold_by_id(site.store, hold_id)
        hold_release.release(site.ports, site.clock(), hold)
    except NotFound:
        return see_other(request.url("/portal?released=before"))
    return see_other(request.url("/portal?released=now"))


def _place(request: Request, name: str) -> str:
    """The place in a list, from our own link; empty for its beginning. Raises `Invalid`."""
    after = request.query.get(name, "")
    return place_in(name, after) if after else ""


_RELEASED_MESSAGES = {
    "now": "Released. The waiting transactions are being sent in order.",
    "before": "This hold has already been released.",
}


def _hold_rows(site: Site, holds: list[Hold]) -> list[HoldRow]:
    items = site.store.table.get_many(keys.company(hold.company_id) for hold in holds if hold.company_id)
    companies = {company.id: company for company in map(Company.model_validate, items.values())}
    return [HoldRow(hold, count_waiting(site.store, hold), companies.get(hold.company_id or "")) for hold in holds]


def _connection_rows(site: Site, connections: list[Connection]) -> list[ConnectionRow]:
    companies = site.store.table.get_many(keys.company(connection.company_id) for connection in connections)
    rows = []
    for connection in connections:
        accounts = company_items.source_accounts(site.store, connection.id)
        connected = sum(account.status is SourceAccountStatus.CONNECTED for account in accounts)
        company = record_in(Company, companies.get(keys.company(connection.company_id)))
        rows.append(ConnectionRow(connection, company, len(accounts), connected))
    return rows


def _unresolved(connection: Connection) -> list[ConnectionFault]:
    return [fault for fault in connection.errors if fault.resolved_on is None]


def _feed_rows(site: Site, connection: Connection) -> list[FeedRow]:
    accounts = company_items.source_accounts(site.store, connection.id)
    found = feed_items.find_feeds(site.store, [feed_id(connection.id, account.id) for account in accounts])
    feeds = {feed.account_id: feed for feed in found}
    subjects = dict.fromkeys(subject for feed in found for subject in feed.hold_subjects)
    held = {(hold.scope, hold.subject) for hold in hold_items.holds_on(site.store, subjects)}
    statements = statement_items.last_statements(site.store, found)
    rows = []
    for account in accounts:
        feed = feeds.get(account.id)
        statement = statements.get(feed.id) if feed else None
        is_held = feed is not None and not held.isdisjoint(feed.hold_subjects)
        rows.append(FeedRow(account, feed, is_held, statement if statement and statement.stuck else None))
    return rows
