"""The start of Link: the redirect to Xero's consent."""

from __future__ import annotations

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.holds import items as hold_items
from feedlane.ids import fingerprint
from feedlane.link import start_window
from feedlane.link import state_items as link_state_items
from feedlane.link.linking import NotLinked
from feedlane.link.state import LINK_STATE_LIFETIME, LinkState
from feedlane.scope import Scope
from feedlane.settings import items as settings_items
from feedlane.web import sessions
from feedlane.web.cookies import Cookie, flow_cookie_name, link_cookie_name, value_in
from feedlane.web.error_pages import NoSuchPage, not_linked_page
from feedlane.web.link import hosted, paths, redirects
from feedlane.web.link import passwords as password_pages
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect
from feedlane.web.sessions import LinkSession
from feedlane.web.site import Site
from feedlane.xero.identity import authorize_url, code_challenge

# In a start URL: authorise again, even in a valid session.
RECONNECT_PARAMETER = "link.reconnect"


def start(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """`Connection.linkUrl`: the mapping page in a valid session, otherwise Xero's consent. Raises `ErrorPage`."""
    connection = company_items.find_connection(site.store, company_id, connection_id)
    if connection is None:
        raise NoSuchPage
    now = site.clock()
    if _may_continue(site, request, connection):
        return redirect(request.url(paths.accounts(connection)))
    password = password_pages.password_for_start(site, request, connection)
    if request.is_head:
        return redirect(site.login_url)  # without a state: nobody follows it
    parameters = redirects.platform_parameters(request.query)
    if not connection.is_direct:
        return hosted.start(site, request, connection, password, parameters)
    try:
        settings = site.linking(paths.redirect_uri(request)).require_startable(connection, now)
    except NotLinked as error:
        page, outcome = not_linked_page(error, settings_items.profile(site.store).name)
        raise paths.with_return_url(site, connection, parameters, page, outcome) from None
    redirect_uri = paths.redirect_uri(request, settings)
    state, browser, verifier = site.new_secret(), site.new_secret(), site.new_secret() if settings.pkce else ""
    link_state = LinkState(
        fingerprint=fingerprint(state),
        browser=fingerprint(browser),
        company_id=company_id,
        connection_id=connection_id,
        parameters=parameters,
        verifier=verifier,
        password=password.fingerprint if password else "",
        redirect_uri=redirect_uri,
        expires=now + LINK_STATE_LIFETIME,
    )
    start_window.store_start(site.store, link_state, link_state_items.add_state(link_state))
    consent_url = authorize_url(
        site.login_url,
        settings.client_id,
        redirect_uri,
        settings.scopes,
        state,
        code_challenge(verifier) if verifier else None,
    )
    cookies = password_pages.password_cookies(request, company_id, connection_id) if password else []
    return redirect(consent_url).with_cookies(Cookie(flow_cookie_name(state), browser, LINK_STATE_LIFETIME), *cookies)


def _may_continue(site: Site, request: Request, connection: Connection) -> bool:
    """Whether there is nothing to authorise: the connection is linked and usable, and the session is its own."""
    if not connection.is_linked or connection.needs_reconnection or request.query.get(RECONNECT_PARAMETER):
        return False
    secret = value_in(request, link_cookie_name(connection.id))
    session = sessions.find_session(site.store, LinkSession, secret, site.clock())
    if session is None or session.connection_id != connection.id:
        return False
    return not hold_items.holds_on(site.store, [(Scope.CONNECTION, connection.id)])
