"""What ends only after a question: an account's feed, a connection's access, a connection with all that it has.

Each question says what waits, and what becomes of it. What is done is what the API does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import FeedlaneError
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.ids import feed_id
from feedlane.link import connections
from feedlane.mapping import unmapping
from feedlane.scope import Scope
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from feedlane.web.form_errors import FormError
from feedlane.web.portal.companies.confirming import confirmation
from feedlane.web.portal.connection_words import name_of, place_of
from feedlane.web.portal.feeds.feeds import FeedRow, feed_rows
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.portal.troubles import troubles
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site


def ask_about_account(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    operator = require_operator(site, request)
    row = _row(site.store, company_id, connection_id, _account_id(request))
    if not row.can_disconnect:
        return see_other(request.url(row.path))
    return _account_page(site, operator, row)


def disconnect_account(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Its feed connection ends; the account and its ledger stay. Done already is done."""
    operator = require_operator(site, request)
    row = _row(site.store, company_id, connection_id, _account_id(request))
    connection = company_items.connection(site.store, company_id, connection_id)
    try:
        if row.can_disconnect:
            unmapping.unmap(site.ports, site.upstream, site.clock(), connection, row.account)
    except (FeedlaneError, ConditionFailed) as error:
        return _account_page(site, operator, row, *troubles(error, place_of(connection)))
    return see_other(request.url(f"/portal/companies/{company_id}?done=account-disconnected"))


def ask_to_disconnect(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    operator = require_operator(site, request)
    return _disconnection(site, operator, company_items.connection(site.store, company_id, connection_id))


def disconnect(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    operator = require_operator(site, request)
    try:
        connections.unlink(site.ports, site.disconnect, site.clock(), company_id, connection_id)
    except (FeedlaneError, ConditionFailed) as error:
        connection = company_items.connection(site.store, company_id, connection_id)
        return _disconnection(site, operator, connection, *troubles(error, place_of(connection)))
    return see_other(request.url(f"/portal/companies/{company_id}?done=disconnected"))


def ask_to_delete(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    operator = require_operator(site, request)
    connection = company_items.connection(site.store, company_id, connection_id)
    return _deletion(site, request, operator, connection)


def delete(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Deletes the connection with its source accounts, once the name of its organisation is typed, if it has one.

    Its id if that name cannot be read.
    """
    operator = require_operator(site, request)
    connection = company_items.connection(site.store, company_id, connection_id)
    asked = confirmation(name_of(connection), connection.id)
    if connection.organisation and not asked.is_given(request.field("name")):
        error = FormError("name", f"Enter the {asked.kind} exactly as it is shown below.")
        return _deletion(site, request, operator, connection, [error], 422)
    try:
        connections.delete(site.ports, site.upstream, site.disconnect, site.clock(), company_id, connection_id)
    except (FeedlaneError, ConditionFailed) as error:
        return _deletion(site, request, operator, connection, *troubles(error, place_of(connection)))
    return see_other(request.url(f"/portal/companies/{company_id}?done=connection-deleted"))


def _account_id(request: Request) -> str:
    """Of the form; or of the address, before there is a form."""
    return request.field("account") or request.query.get("account", "")


def _row(store: Store, company_id: str, connection_id: str, account_id: str) -> FeedRow:
    """Raises `NotFound`."""
    company_items.connection(store, company_id, connection_id)
    [row] = feed_rows(store, [company_items.source_account(store, connection_id, account_id)])
    return row


def _feeds(store: Store, accounts: Sequence[SourceAccount]) -> list[Feed]:
    return feed_items.find_feeds(store, (feed_id(account.connection_id, account.id) for account in accounts))


def _waiting(feeds: Sequence[Feed]) -> int:
    """How many transactions wait in them."""
    return sum(feed.waiting for feed in feeds)


def _under_way(feeds: Sequence[Feed]) -> int:
    """How many of those are in a statement that Xero has, or may have."""
    return sum(feed.flight.last - feed.flight.first + 1 for feed in feeds if feed.flight)


def _account_page(
    site: Site, operator: Operator, row: FeedRow, errors: Sequence[FormError] = (), status: int = 200
) -> Response:
    connection = company_items.connection(site.store, row.account.company_id, row.account.connection_id)
    # What is waiting gets a hold, and a feed that is held records what comes through the queue.
    records = bool(row.waiting) or any(hold.scope is Scope.FEED for hold in row.holds)
    context = {"row": row, "waiting": row.waiting, "records": records, "errors": errors}
    return _page(site, operator, "companies/account_disconnect", "Disconnect account", status, connection, **context)


def _disconnection(
    site: Site, operator: Operator, connection: Connection, errors: Sequence[FormError] = (), status: int = 200
) -> Response:
    accounts = company_items.source_accounts(site.store, connection.id)
    connected = company_items.connection_counts(site.store, [connection.id])[connection.id].connected
    waiting = _waiting(_feeds(site.store, accounts))
    # What is waiting gets a hold, and feeds that are held record what comes through the queue.
    records = bool(waiting) or bool(hold_items.holds_on(site.store, [(Scope.CONNECTION, connection.id)]))
    context = {"connected": connected, "waiting": waiting, "records": records, "errors": errors}
    return _page(site, operator, "companies/disconnect", "Disconnect", status, connection, **context)


def _deletion(
    site: Site,
    request: Request,
    operator: Operator,
    connection: Connection,
    errors: Sequence[FormError] = (),
    status: int = 200,
) -> Response:
    accounts = company_items.source_accounts(site.store, connection.id)
    feeds = _feeds(site.store, accounts)
    under_way = _under_way(feeds)
    context = {
        "accounts": len(accounts),
        "waiting": _waiting(feeds) - under_way,
        "under_way": under_way,
        "has_access": connection.status in (ConnectionStatus.LINKED, ConnectionStatus.DEAUTHORIZED),
        "is_named": connection.organisation is not None,
        "asked": confirmation(name_of(connection), connection.id),
        "entered": request.field("name"),
        "errors": errors,
    }
    return _page(site, operator, "companies/connection_delete", "Delete connection", status, connection, **context)


def _page(
    site: Site, operator: Operator, template: str, title: str, status: int, connection: Connection, **context: Any
) -> Response:
    return portal_page(
        site,
        operator,
        template,
        status,
        title=title,
        section="companies",
        company=company_items.company(site.store, connection.company_id),
        connection=connection,
        organisation=name_of(connection),
        place=place_of(connection),
        **context,
    )
