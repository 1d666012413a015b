"""The beginning of Link: the company's page, and the way to Xero's consent."""

from __future__ import annotations

from urllib.parse import urlsplit

from feedlane import connections, redirects, unanswered
from feedlane.company import Company
from feedlane.connection import PLATFORM_KEY, Connection
from feedlane.hold import Scope
from feedlane.ids import fingerprint
from feedlane.link_state import LIFETIME, LinkState
from feedlane.linking import NotLinked
from feedlane.sessions import LinkSession
from feedlane.store import link_states
from feedlane.web import addresses, link_passwords
from feedlane.web.cookies import LINK, flow_cookie
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect, see_other
from feedlane.web.site import Site
from feedlane.web.troubles import NoSuchPage, not_linked_trouble
from feedlane.xero.identity import authorize_url, code_challenge

# In a start's address: authorise anew, whatever session there is.
RECONNECT = "link.reconnect"


def company_page(site: Site, request: Request, company_id: str) -> Response:
    """What a company's own link shows: its connections to Xero, or the offer to make the first."""
    company = site.store.company(company_id)
    link_passwords.company_allowed(site, request, company_id)
    shown = site.page(
        "company",
        form_targets=site.login_url,
        title="Connect to Xero",
        company=company,
        connections=[{"connection": one, "start": addresses.start(one)} for one in site.store.connections(company.id)],
    )
    return shown.with_cookies(*link_passwords.kept(request, company_id))


def first_connection(site: Site, request: Request, company_id: str) -> Response:
    """Makes the company's connection if it has none, and goes on to Xero."""
    company = site.store.company(company_id)
    link_passwords.company_allowed(site, request, company_id)
    existing = site.store.connections(company.id)
    connection = existing[0] if existing else _created(site, company)
    return see_other(request.url(addresses.start(connection)))


def start(site: Site, request: Request, company_id: str, connection_id: str) -> Response:
    """`Connection.linkUrl`. With a valid session the mapping page, else Xero's consent. Raises `Trouble`."""
    connection = site.store.find_connection(company_id, connection_id)
    if connection is None:
        raise NoSuchPage
    now = site.clock()
    if _may_continue(site, request, connection):
        return redirect(request.url(addresses.accounts(connection)))
    password = link_passwords.start_allowed(site, request, connection)
    parameters = redirects.remembered(request.query)
    try:
        settings = site.linking(addresses.redirect_uri(request)).may_start(connection, now)
    except NotLinked as error:
        trouble, outcome = not_linked_trouble(error, site.store.profile().name)
        raise addresses.with_way_back(site, connection, parameters, trouble, outcome) from None
    redirect_uri = addresses.redirect_uri(request, settings)
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
        expires=now + LIFETIME,
    )
    # Before the state: a start that a crash leaves unwatched would never be reported.
    unanswered.watch(site.queues, link_state)
    site.store.commit(link_states.add_state(link_state))
    to = authorize_url(
        site.login_url,
        settings.client_id,
        redirect_uri,
        settings.scopes,
        state,
        code_challenge(verifier) if verifier else None,
    )
    kept = link_passwords.kept(request, company_id, addresses.base(connection)) if password else []
    return redirect(to).with_cookies(flow_cookie(state, browser, LIFETIME, urlsplit(redirect_uri).path), *kept)


def _may_continue(site: Site, request: Request, connection: Connection) -> bool:
    """Whether there is nothing to authorise: linked, no reconnection is needed, and there is a session."""
    if not connection.is_linked or connection.needs_reconnection or request.query.get(RECONNECT):
        return False
    session = link_states.find_session(site.store, LinkSession, request.cookies.get(LINK), site.clock())
    if session is None or session.connection_id != connection.id:
        return False
    return not site.store.holds_on([(Scope.CONNECTION, connection.id)])


def _created(site: Site, company: Company) -> Connection:
    return connections.create(site.store, site.clock(), site.new_id, company.id, PLATFORM_KEY)
