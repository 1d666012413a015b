"""The end of Xero's consent: checks that it is ours, links the connection, and goes on to the accounts."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionFault
from feedlane.errors import Unavailable
from feedlane.ids import fingerprint
from feedlane.link import passwords as stored_passwords
from feedlane.link import state_items as link_state_items
from feedlane.link.choice import OrganisationChoice
from feedlane.link.linking import NotLinked
from feedlane.link.state import LinkState, StateError, require_valid_state
from feedlane.settings import items as settings_items
from feedlane.store.table import ConditionFailed
from feedlane.web import sessions
from feedlane.web.cookies import flow_cookie_name, link_cookie
from feedlane.web.error_pages import ErrorPage, bank_feeds_missing_page, error_page, not_linked_page, state_error_page
from feedlane.web.link import passwords as password_pages
from feedlane.web.link import paths, redirects
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect
from feedlane.web.sessions import LINK_SESSION_LIFETIME, LinkSession
from feedlane.web.site import Site

# Xero's codes have some 43 characters.
PARAMETER_LENGTH_MAX = 2048
# Failures that the customer can mend by another try at Xero.
_RETRYABLE_STATUSES = frozenset({400, 403, 409})


def callback(site: Site, request: Request) -> Response:
    """Nothing is stored unless the state is good, and a good state is used up by its first answer."""
    state, code, error = (request.query.get(name, "") for name in ("state", "code", "error"))
    link_state = _require_state(site, request, state)
    connection = company_items.find_connection(site.store, link_state.company_id, link_state.connection_id)
    if connection is None:
        raise _deleted_connection()
    if not error and not 0 < len(code) <= PARAMETER_LENGTH_MAX:
        raise _missing_code(connection)
    _use_state(site, connection, link_state, spends=not error)
    now = site.clock()
    if error:
        return _refuse_consent(site, connection, link_state, error, now)
    # The flow's cookie stays until it expires: who loads this address again is then known, and can continue.
    return _link(site, request, connection, link_state, code, now)


def _require_state(site: Site, request: Request, state: str) -> LinkState:
    browser = request.cookies.get(flow_cookie_name(state), "")
    found = link_state_items.find_state(site.store, state) if 0 < len(state) <= PARAMETER_LENGTH_MAX else None
    try:
        return require_valid_state(found, fingerprint(browser) if browser else None, site.clock())
    except StateError as error:
        own = error.state
        connection = company_items.find_connection(site.store, own.company_id, own.connection_id) if own else None
        raise state_error_page(error, paths.start(connection) if connection else "") from None


def _use_state(site: Site, connection: Connection, state: LinkState, spends: bool) -> None:
    """The state, and with it the link's password: of two consents at once on one link the first counts."""
    password = (
        stored_passwords.find_password_by_fingerprint(site.store, state.password) if spends and state.password else None
    )
    spending = [stored_passwords.spend_password(password)] if password else []
    try:
        link_state_items.use_state(site.store, state, *spending)
    except StateError as used:
        raise state_error_page(used, paths.start(connection)) from None
    except ConditionFailed:
        raise password_pages.spent_link_page(settings_items.profile(site.store).name) from None


def _link(site: Site, request: Request, connection: Connection, state: LinkState, code: str, now: datetime) -> Response:
    try:
        linking = site.linking(state.redirect_uri or paths.redirect_uri(request))
        found = linking.finish_authorisation(connection, code, now, state.verifier)
    except NotLinked as error:
        password_pages.restore_if_spent(site, state.password)
        return fail_linking(site, request, connection, state.parameters, error, now)
    except Unavailable:
        password_pages.restore_if_spent(site, state.password)
        raise ErrorPage(
            503,
            "Xero is not answering at the moment",
            "You gave access, but we could not finish the connection.",
            "Wait a minute, then try again.",
            retry_url=paths.reconnect(connection),
        ) from None
    choice = found if isinstance(found, OrganisationChoice) else None
    session = LinkSession(
        company_id=connection.company_id,
        connection_id=connection.id,
        parameters=state.parameters,
        choice=choice,
        password=state.password,
    )
    secret = site.new_secret()
    site.store.commit(sessions.put_session(secret, session, now, LINK_SESSION_LIFETIME))
    cookie = link_cookie(paths.connection_path(connection), secret, LINK_SESSION_LIFETIME)
    if isinstance(found, OrganisationChoice):
        return redirect(request.url(paths.organisation(connection))).with_cookies(cookie)
    return after_linking(site, request, found, state.parameters).with_cookies(cookie)


def after_linking(site: Site, request: Request, linked: Connection, parameters: dict[str, str]) -> Response:
    """On to the accounts, or what is to be done first: without the scope of bank feeds nothing can be mapped."""
    if not linked.needs_reconnection:
        return redirect(request.url(next_path(site, linked)))
    profile = settings_items.profile(site.store)
    shown, outcome = bank_feeds_missing_page(profile.name, linked.tenant.name if linked.tenant else "Your organisation")
    shown.retry_url = paths.reconnect(linked)
    return error_page(profile, paths.with_return_url(site, linked, parameters, shown, outcome))


def next_path(site: Site, connection: Connection) -> str:
    """After linking: the accounts, or the end if there are none to map."""
    has_accounts = settings_items.settings(site.store).bank_feeds and company_items.source_accounts(
        site.store, connection.id
    )
    return paths.accounts(connection) if has_accounts else paths.finish(connection)


def fail_linking(
    site: Site,
    request: Request,
    connection: Connection,
    parameters: dict[str, str],
    error: NotLinked,
    now: datetime,
) -> Response:
    """Writes the failure down on the connection, and says on a page what happened."""
    profile = settings_items.profile(site.store)
    shown, outcome = not_linked_page(error, profile.name)
    written = ConnectionFault(
        status_code=str(outcome.status_code),
        status_text=outcome.status_text,
        error_message=outcome.error_message,
        errored_on=now,
    )
    site.linking(paths.redirect_uri(request)).record_failure(connection, written)
    shown.retry_url = paths.reconnect(connection) if shown.status in _RETRYABLE_STATUSES else ""
    return error_page(profile, paths.with_return_url(site, connection, parameters, shown, outcome))


def _refuse_consent(site: Site, connection: Connection, state: LinkState, error: str, now: datetime) -> Response:
    """The customer pressed Cancel at Xero (access_denied), or Xero itself gave up."""
    outcome = redirects.CANCELLED if error == "access_denied" else redirects.failed("Xero ended the authorisation")
    written = ConnectionFault(
        status_code=str(outcome.status_code),
        status_text=outcome.status_text,
        error_message=outcome.error_message,
        errored_on=now,
    )
    site.linking("").record_failure(connection, written)
    to = paths.platform_url(site, connection, outcome, state.parameters)
    if to is not None:
        return redirect(to)
    next, way = "You can close this window, or try again.", paths.reconnect(connection)
    if outcome is redirects.CANCELLED:
        text = "You chose not to give access to Xero. Nothing was connected."
        shown = ErrorPage(403, "You cancelled the connection", text, next, retry_url=way)
    else:
        shown = ErrorPage(502, "Xero ended the connection", "Nothing was connected.", next, retry_url=way)
    return error_page(settings_items.profile(site.store), shown)


def _missing_code(connection: Connection) -> ErrorPage:
    return ErrorPage(
        400,
        "Xero’s answer was incomplete",
        "It did not contain an authorisation.",
        "Nothing was connected.",
        retry_url=paths.reconnect(connection),
    )


def _deleted_connection() -> ErrorPage:
    text = "It was removed while you were at Xero."
    return ErrorPage(404, "This connection no longer exists", text, "Nothing was connected. Ask for a new link.")
