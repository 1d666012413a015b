"""The last pages of Link: the choice between several organisations, and the return to the platform."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.link.consent_end import ConsentEnd
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
    """The customer selected several organisations at Xero and chooses one here."""
    visit = require_visit(site, request, company_id, connection_id)
    if visit.session.choice is None:
        return redirect(request.url(next_path(site, visit.connection)))
    return _choice_page(site, visit)


def choose(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    visit = require_visit(site, request, company_id, connection_id)
    choice, tenant_id, now = visit.session.choice, request.field("tenantId"), site.clock()
    if choice is None:
        return see_other(request.url(next_path(site, visit.connection)))
    if tenant_id not in {organisation.tenant_id for organisation in choice.organisations}:
        return _choice_page(site, visit, "Choose one of the organisations.", 422)
    chosen = visit.session.but(choice=None)
    end = ConsentEnd(also=lambda _: [sessions.put_session(visit.secret, chosen, now, LINK_SESSION_LIFETIME)])
    try:
        linked = site.linking(paths.redirect_uri(request)).link_chosen(visit.connection, choice, tenant_id, now, end)
    except NotLinked as error:
        password_pages.restore_if_spent(site, visit.session.password)
        removal = [sessions.remove_session(visit.secret)]
        return fail_linking(site, request, visit.connection, visit.session.parameters, error, now, removal)
    return after_linking(site, request, linked, visit.session.parameters)


def finish(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """Returns to the platform, or shows the built-in page if the platform has no redirect URL."""
    visit = require_visit(site, request, company_id, connection_id)
    outcome = redirects.DONE if visit.connection.is_linked else redirects.CANCELLED
    if visit.connection.needs_reconnection:
        outcome = redirects.failed("The customer has to reconnect")
    platform_url = paths.platform_url(site, visit.connection, outcome, visit.session.parameters)
    return redirect(platform_url) if platform_url is not None else _done_page(site, visit.connection)


def _choice_page(site: Site, visit: Visit, error: str = "", status: int = 200) -> Response:
    choice = visit.session.choice
    return site.page(
        "organisation",
        status,
        title="Which organisation do you want to connect?",
        organisations=choice.organisations if choice else (),
        form_token=visit.form_token,
        page_path=paths.organisation(visit.connection),
        error=error,
    )


def _done_page(site: Site, connection: Connection) -> Response:
    accounts = company_items.source_accounts(site.store, connection.id)
    return site.page(
        "done",
        title=_done_title(connection),
        connection=connection,
        accounts=[account for account in accounts if account.mapping is not None],
        accounts_path=paths.accounts(connection),
        start_path=paths.reconnect(connection) if connection.needs_reconnection else paths.start(connection),
    )


def _done_title(connection: Connection) -> str:
    if connection.needs_reconnection:
        return "Please connect to Xero again"
    return "You are connected to Xero" if connection.is_linked else "You are not connected to Xero"
