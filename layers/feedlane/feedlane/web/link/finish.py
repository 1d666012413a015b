"""The last pages of Link: which of several organisations is meant, and the way back to the platform."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.link.linking import NotLinked
from feedlane.web import sessions
from feedlane.web.link import passwords as password_pages
from feedlane.web.link import paths, redirects
from feedlane.web.link.callback import after_linking, fail_linking, next_path
from feedlane.web.link.session import Visit, require_visit
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect, see_other
from feedlane.web.sessions import LINK_SESSION_LIFETIME
from feedlane.web.site import Site


def organisations(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Several organisations were selected at Xero: the customer says which one."""
    own = require_visit(site, request, company_id, connection_id)
    if own.session.choice is None:
        return redirect(request.url(next_path(site, own.connection)))
    return _choice_page(site, own)


def choose(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    own = require_visit(site, request, company_id, connection_id)
    choice, tenant_id, now = own.session.choice, request.field("tenantId"), site.clock()
    if choice is None:
        return see_other(request.url(next_path(site, own.connection)))
    if tenant_id not in {one.tenant_id for one in choice.organisations}:
        return _choice_page(site, own, "Choose one of the organisations.", 422)
    done = own.session.but(choice=None)
    try:
        linked = site.linking(paths.redirect_uri(request)).link_chosen(own.connection, choice, tenant_id, now)
    except NotLinked as error:
        site.store.commit(sessions.remove_session(own.secret))
        password_pages.restore_if_spent(site, own.session.password)
        return fail_linking(site, request, own.connection, own.session.parameters, error, now)
    site.store.commit(sessions.put_session(own.secret, done, now, LINK_SESSION_LIFETIME))
    return after_linking(site, request, linked, own.session.parameters)


def finish(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Back to the platform, or to the built-in page if it has set no address."""
    own = require_visit(site, request, company_id, connection_id)
    outcome = redirects.DONE if own.connection.is_linked else redirects.CANCELLED
    if own.connection.needs_reconnection:
        outcome = redirects.failed("The customer has to reconnect")
    to = paths.platform_url(site, own.connection, outcome, own.session.parameters)
    return redirect(to) if to is not None else _done_page(site, own.connection)


def _choice_page(site: Site, own: Visit, error: str = "", status: int = 200) -> Response:
    choice = own.session.choice
    return site.page(
        "organisation",
        status,
        title="Which organisation do you want to connect?",
        organisations=choice.organisations if choice else (),
        form_token=own.form_token,
        here=paths.organisation(own.connection),
        error=error,
    )


def _done_page(site: Site, connection: Connection) -> Response:
    accounts = [one for one in company_items.source_accounts(site.store, connection.id) if one.mapping is not None]
    return site.page(
        "done",
        title=_done_title(connection),
        connection=connection,
        accounts=accounts,
        manage=paths.accounts(connection),
        start=paths.reconnect(connection) if connection.needs_reconnection else paths.start(connection),
    )


def _done_title(connection: Connection) -> str:
    if connection.needs_reconnection:
        return "Xero has to be connected again"
    return "You are connected to Xero" if connection.is_linked else "You are not connected to Xero"
