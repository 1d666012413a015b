"""The portal's overview: what is held and why, and every connection. And each company's own page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from feedlane import connection_limit, link_urls, releasing
from feedlane.company import Company
from feedlane.connection import Connection
from feedlane.connection_errors import standing_errors
from feedlane.errors import NotFound
from feedlane.feed import Feed
from feedlane.hold import Hold
from feedlane.holding import Counted, counted
from feedlane.links import connection_link
from feedlane.settings import limit_of
from feedlane.source_account import SourceAccount, SourceAccountStatus
from feedlane.store import keys, ledger, push_operations
from feedlane.store.records import record_in
from feedlane.web.portal_session import operator, portal_page
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

PAGE = 25
MOST_OPERATIONS = 20


@dataclass(frozen=True)
class HoldRow:
    hold: Hold
    waiting: Counted
    company: Company | None


@dataclass(frozen=True)
class ConnectionRow:
    connection: Connection
    company: Company | None
    accounts: int
    connected: int


@dataclass(frozen=True)
class FeedRow:
    account: SourceAccount
    feed: Feed | None
    is_held: bool

    @property
    def waiting(self) -> int:
        return self.feed.waiting if self.feed else 0

    @property
    def through(self) -> str:
        return self.feed.recorded_date if self.feed else ""


def overview(site: Site, request: Request) -> Response:
    own = operator(site, request)
    store, settings = site.store, site.store.settings()
    holds = [_hold_row(site, hold) for hold in store.holds()]
    start = request.query.get("after")
    listed = list(store.table.query(keys.CONNECTIONS, index=True, start=start, limit=PAGE + 1))
    connections = [Connection.model_validate(item) for item in listed]
    released = request.query.get("released", "")
    return portal_page(
        site,
        own,
        "portal_overview",
        title="Overview",
        section="overview",
        settings=settings,
        limit=limit_of(settings),
        linked=connection_limit.counted(store),
        holds=holds,
        held_back=sum(one.waiting.number for one in holds),
        held_back_is_all=all(one.waiting.is_all for one in holds),
        connections=_connection_rows(site, connections[:PAGE]),
        next=connections[PAGE].id if len(connections) > PAGE else "",
        done=_RELEASED.get(released, ""),
    )


def company_page(site: Site, request: Request, company_id: str) -> Response:
    own = operator(site, request)
    company = site.store.company(company_id)
    connections = site.store.connections(company.id)
    settings = site.store.settings()
    standing = standing_errors(site.store, settings, connections)
    passwords = (
        link_urls.connection_passwords(site.store, site.clock(), site.new_secret, connections)
        if settings.link_passwords
        else {}
    )
    return portal_page(
        site,
        own,
        "portal_company",
        title=company.name,
        section="",
        company=company,
        link_passwords=settings.link_passwords,
        connections=[
            {
                "connection": one,
                "link": connection_link(request.base_url, company.id, one.id, passwords.get(one.id, "")),
                "errors": [error for error in one.errors if error.resolved_on is None][-3:] + standing[one.id],
                "feeds": _feed_rows(site, one),
            }
            for one in connections
        ],
        operations=list(islice(push_operations.operations(site.store, company.id), MOST_OPERATIONS)),
    )


def release(site: Site, request: Request, hold_id: str) -> Response:
    """What waits behind the hold goes on in order, under new push operations."""
    operator(site, request)
    try:
        hold = releasing.find_hold(site.store, hold_id)
        releasing.release(site.store, site.queues, site.clock(), site.new_id, hold)
    except NotFound:
        return see_other(request.url("/portal?released=before"))
    return see_other(request.url("/portal?released=now"))


_RELEASED = {
    "now": "Released. What was waiting is being sent in order.",
    "before": "This hold had been released already.",
}


def _hold_row(site: Site, hold: Hold) -> HoldRow:
    found = site.store.table.get(keys.company(hold.company_id)) if hold.company_id else None
    return HoldRow(hold, counted(site.store, hold), record_in(Company, found))


def _connection_rows(site: Site, connections: list[Connection]) -> list[ConnectionRow]:
    companies = site.store.table.get_many(keys.company(one.company_id) for one in connections)
    rows = []
    for one in connections:
        accounts = site.store.source_accounts(one.id)
        connected = sum(account.status is SourceAccountStatus.CONNECTED for account in accounts)
        company = record_in(Company, companies.get(keys.company(one.company_id)))
        rows.append(ConnectionRow(one, company, len(accounts), connected))
    return rows


def _feed_rows(site: Site, connection: Connection) -> list[FeedRow]:
    feeds = {feed.account_id: feed for feed in ledger.feeds_of_connection(site.store, connection.id)}
    rows = []
    for account in site.store.source_accounts(connection.id):
        feed = feeds.get(account.id)
        is_held = feed is not None and bool(site.store.holds_on(feed.holdable))
        rows.append(FeedRow(account, feed, is_held))
    return rows
