"""The last pages of Link: the choice between several organisations, and the return to the platform."""

from __future__ import annotations

from collections.abc import Sequence

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.link.consent_end import ConsentEnd
from feedlane.link.linking import NotLinked
from feedlane.settings import items as settings_items
from feedlane.texts import say
from feedlane.web import sessions
from feedlane.web.form_errors import FormError
from feedlane.web.link import passwords as password_pages
from feedlane.web.link import paths, redirects
from feedlane.web.link.callback import after_linking, fail_linking, next_path
from feedlane.web.link.session import Visit, require_visit
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect, see_other
from feedlane.web.sessions import LINK_SESSION_LIFETIME
from feedlane.web.site import Site

# In the address of the last page: the customer has been told that no account is connected yet.
LATER_PARAMETER = "later"


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
        return _choice_page(site, visit, say("organisation.choose"), 422)
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
    """Returns to the platform, or shows the built-in page if the platform has no redirect URL.

    Before that, once, whoever has connected no account hears that nothing will be sent.
    """
    visit = require_visit(site, request, company_id, connection_id)
    connection = visit.connection
    accounts = company_items.source_accounts(site.store, connection.id)
    is_left = bool(request.query.get(LATER_PARAMETER))
    if _is_unfinished(site, connection, accounts) and not is_left:
        return _done_page(site, visit, accounts, "almost")
    outcome = redirects.DONE if connection.is_linked else redirects.CANCELLED
    if connection.needs_reconnection:
        outcome = redirects.failed("The customer has to reconnect")
    platform_url = paths.platform_url(site, connection, outcome, visit.session.parameters)
    if platform_url is not None:
        return redirect(platform_url)
    return _done_page(site, visit, accounts, _end_of(site, connection, accounts))


def _is_unfinished(site: Site, connection: Connection, accounts: Sequence[SourceAccount]) -> bool:
    """Whether the customer could connect an account and has not connected any."""
    if not connection.is_linked or connection.needs_reconnection or not accounts:
        return False
    return settings_items.settings(site.store).bank_feeds and all(account.mapping is None for account in accounts)


def _end_of(site: Site, connection: Connection, accounts: Sequence[SourceAccount]) -> str:
    """Which end the page tells of: again, not, almost, or the good one."""
    if connection.needs_reconnection:
        return "again"
    if not connection.is_linked:
        return "not"
    return "almost" if _is_unfinished(site, connection, accounts) else "good"


def _done_page(site: Site, visit: Visit, accounts: Sequence[SourceAccount], end: str) -> Response:
    connection = visit.connection
    mapped = [account for account in accounts if account.mapping is not None]
    connecting = sum(account.status is SourceAccountStatus.CONNECTING for account in mapped)
    has_platform = paths.platform_url(site, connection, redirects.DONE, visit.session.parameters) is not None
    return site.customer_page(
        "link/done",
        title=say("done.title" if end == "good" else f"done.{end}-title"),
        end=end,
        organisation=connection.tenant.name if connection.tenant else "",
        has_accounts=bool(accounts),
        connected=len(mapped) - connecting,
        connecting=connecting,
        accounts_path=paths.accounts(connection),
        start_path=paths.reconnect(connection) if end == "again" else paths.start(connection),
        later_path=f"{paths.finish(connection)}?{LATER_PARAMETER}=1" if has_platform else "",
    )


def _choice_page(site: Site, visit: Visit, error: str = "", status: int = 200) -> Response:
    choice = visit.session.choice
    return site.customer_page(
        "link/organisation",
        status,
        title=say("organisation.title"),
        errors=[FormError("tenants", error)] if error else (),
        organisations=choice.organisations if choice else (),
        form_token=visit.form_token,
        page_path=paths.organisation(visit.connection),
        error=error,
    )
