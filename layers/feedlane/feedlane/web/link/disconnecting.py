"""The customer disconnects: one account, or all of Link from Xero. Each is asked once."""

from __future__ import annotations

from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies.connection import ConnectionStatus
from feedlane.companies.source_account import SourceAccount
from feedlane.errors import AppKeysRejected, Conflict, Invalid, Unavailable
from feedlane.link import connections as link_connections
from feedlane.mapping import unmapping
from feedlane.store.table import ConditionFailed
from feedlane.texts import say, say_number
from feedlane.web.filters import last_four
from feedlane.web.link import paths, redirects
from feedlane.web.link.plain_words import explain_error
from feedlane.web.link.session import Visit, require_visit
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect, see_other
from feedlane.web.site import Site


def ask_about_account(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    visit = require_visit(site, request, company_id, connection_id)
    account = _mapped(site, visit, request.query.get("account", ""))
    if account is None:
        return redirect(request.url(paths.accounts(visit.connection)))
    return _account_page(site, visit, account)


def disconnect_account(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    visit = require_visit(site, request, company_id, connection_id)
    page_url = request.url(paths.accounts(visit.connection))
    account = _mapped(site, visit, request.field("account"))
    if account is None:
        return see_other(page_url)
    try:
        unmapping.unmap(site.ports, site.upstream, site.clock(), visit.connection, account)
    except (Unavailable, AppKeysRejected, ConditionFailed) as error:
        return _account_page(site, visit, account, explain_error(error), 503)
    return see_other(f"{page_url}?done=disconnected")


def ask_about_connection(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Or that it is disconnected, with the way back."""
    visit = require_visit(site, request, company_id, connection_id)
    return _connection_page(site, visit)


def disconnect_connection(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Ends the access at Xero too. What was mapped stays, and goes on after a reconnection."""
    visit = require_visit(site, request, company_id, connection_id)
    try:
        link_connections.unlink(site.ports, site.disconnect, site.clock(), company_id, connection_id)
    except Invalid:  # it was never linked: there is nothing to end
        return see_other(request.url(paths.start(visit.connection)))
    except Conflict:
        return _connection_page(site, visit, say("disconnect.busy"), 409)
    except (Unavailable, AppKeysRejected, ConditionFailed) as error:
        return _connection_page(site, visit, explain_error(error), 503)
    return see_other(request.url(paths.disconnect(visit.connection)))


def _mapped(site: Site, visit: Visit, account_id: str) -> SourceAccount | None:
    account = company_items.find_source_account(site.store, visit.connection.id, account_id) if account_id else None
    return account if account is not None and account.mapping is not None else None


def _account_page(site: Site, visit: Visit, account: SourceAccount, error: str = "", status: int = 200) -> Response:
    facts = {"account": account.account_name, "ending": last_four(account.account_number)}
    title = say("disconnect.account-title", account=say("accounts.account", **facts))
    return _page(site, visit, title, status, account=account, error=error)


def _connection_page(site: Site, visit: Visit, error: str = "", status: int = 200) -> Response:
    connection = visit.connection
    is_ended = connection.status is ConnectionStatus.UNLINKED
    accounts = company_items.source_accounts(site.store, connection.id)
    count = sum(account.mapping is not None for account in accounts)
    return _page(
        site,
        visit,
        say("disconnect.done-title" if is_ended else "disconnect.title"),
        status,
        account=None,
        error=error,
        is_ended=is_ended,
        accounts_note=say_number("disconnect.accounts", count) if count else "",
    )


def _page(site: Site, visit: Visit, title: str, status: int, account: SourceAccount | None, **context: Any) -> Response:
    connection = visit.connection
    organisation = connection.organisation
    return site.customer_page(
        "link/disconnect",
        status,
        title=title,
        form_token=visit.form_token,
        account=account,
        organisation=organisation.name if organisation else say("disconnect.your-organisation"),
        page_path=paths.disconnect_account(connection) if account else paths.disconnect(connection),
        accounts_path=paths.accounts(connection),
        start_path=paths.reconnect(connection),
        return_url=paths.platform_url(site, connection, redirects.CANCELLED, visit.session.parameters) or "",
        **{"is_ended": False, "accounts_note": "", **context},
    )
