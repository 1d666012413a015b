"""The end of Xero's consent: checks that it is ours, links the connection, and goes on to the accounts."""

from __future__ import annotations

from datetime import datetime

from feedlane import redirects
from feedlane.connection import Connection, ConnectionError
from feedlane.errors import Unavailable
from feedlane.ids import fingerprint
from feedlane.link_state import LinkState, StateError, checked
from feedlane.linking import NotLinked
from feedlane.sessions import LINK_LASTS, Choice, LinkSession
from feedlane.store import link_passwords as stored_passwords
from feedlane.store import link_states
from feedlane.store.table import ConditionFailed
from feedlane.web import addresses, link_passwords
from feedlane.web.cookies import flow_name, link_cookie
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect
from feedlane.web.site import Site
from feedlane.web.troubles import Trouble, not_linked_trouble, state_trouble, trouble_page, without_bank_feeds

# Xero's codes have some 43 characters.
LONGEST_ANSWER = 2048
# Failures that the customer can mend by another try at Xero.
_WORTH_ANOTHER_TRY = frozenset({400, 403, 409})


def callback(site: Site, request: Request) -> Response:
    """Nothing is stored unless the state is good, and a good state is used up by its first answer."""
    state, code, error = (request.query.get(name, "") for name in ("state", "code", "error"))
    link_state = _good_state(site, request, state)
    connection = site.store.find_connection(link_state.company_id, link_state.connection_id)
    if connection is None:
        raise _gone()
    if not error and not 0 < len(code) <= LONGEST_ANSWER:
        raise _without_code(connection)
    _use_up(site, connection, link_state, spends=not error)
    now = site.clock()
    if error:
        return _refused(site, connection, link_state, error, now)
    # The flow's cookie stays until it expires: who loads this address again is then known, and can continue.
    return _linked(site, request, connection, link_state, code, now)


def _good_state(site: Site, request: Request, state: str) -> LinkState:
    browser = request.cookies.get(flow_name(state), "")
    found = link_states.find_state(site.store, state) if 0 < len(state) <= LONGEST_ANSWER else None
    try:
        return checked(found, fingerprint(browser) if browser else None, site.clock())
    except StateError as error:
        own = error.state
        connection = site.store.find_connection(own.company_id, own.connection_id) if own else None
        raise state_trouble(error, addresses.start(connection) if connection else "") from None


def _use_up(site: Site, connection: Connection, state: LinkState, spends: bool) -> None:
    """The state, and with it the link's password: of two consents at once on one link the first counts."""
    password = stored_passwords.password_of(site.store, state.password) if spends and state.password else None
    spending = [stored_passwords.spend_password(password)] if password else []
    try:
        link_states.use_state(site.store, state, *spending)
    except StateError as used:
        raise state_trouble(used, addresses.start(connection)) from None
    except ConditionFailed:
        raise link_passwords.spent_trouble(site.store.profile().name) from None


def _linked(
    site: Site, request: Request, connection: Connection, state: LinkState, code: str, now: datetime
) -> Response:
    try:
        linking = site.linking(state.redirect_uri or addresses.redirect_uri(request))
        found = linking.authorised(connection, code, now, state.verifier)
    except NotLinked as error:
        link_passwords.returned(site, state.password)
        return not_linked(site, request, connection, state.parameters, error, now)
    except Unavailable:
        link_passwords.returned(site, state.password)
        raise Trouble(
            503,
            "Xero is not answering at the moment",
            "You gave access, but we could not finish the connection.",
            "Wait a minute, then try again.",
            way=addresses.reconnect(connection),
        ) from None
    choice = found if isinstance(found, Choice) else None
    session = LinkSession(
        company_id=connection.company_id,
        connection_id=connection.id,
        parameters=state.parameters,
        choice=choice,
        password=state.password,
    )
    secret = site.new_secret()
    site.store.commit(link_states.put_session(secret, session, now, LINK_LASTS))
    cookie = link_cookie(addresses.base(connection), secret, LINK_LASTS)
    if isinstance(found, Choice):
        return redirect(request.url(addresses.organisation(connection))).with_cookies(cookie)
    return after_linking(site, request, found, state.parameters).with_cookies(cookie)


def after_linking(site: Site, request: Request, linked: Connection, parameters: dict[str, str]) -> Response:
    """On to the accounts, or what is to be done first: without the scope of bank feeds nothing can be mapped."""
    if not linked.needs_reconnection:
        return redirect(request.url(next_address(site, linked)))
    profile = site.store.profile()
    trouble, outcome = without_bank_feeds(profile.name, linked.tenant.name if linked.tenant else "Your organisation")
    trouble.way = addresses.reconnect(linked)
    return trouble_page(profile, addresses.with_way_back(site, linked, parameters, trouble, outcome))


def next_address(site: Site, connection: Connection) -> str:
    """After linking: the accounts, or the end if there are none to map."""
    has_accounts = site.store.settings().bank_feeds and site.store.source_accounts(connection.id)
    return addresses.accounts(connection) if has_accounts else addresses.finish(connection)


def not_linked(
    site: Site,
    request: Request,
    connection: Connection,
    parameters: dict[str, str],
    error: NotLinked,
    now: datetime,
) -> Response:
    """Writes the failure down on the connection, and says on a page what happened."""
    profile = site.store.profile()
    trouble, outcome = not_linked_trouble(error, profile.name)
    written = ConnectionError(
        status_code=str(outcome.status_code),
        status_text=outcome.status_text,
        error_message=outcome.error_message,
        errored_on=now,
    )
    site.linking(addresses.redirect_uri(request)).failed(connection, written)
    trouble.way = addresses.reconnect(connection) if trouble.status in _WORTH_ANOTHER_TRY else ""
    return trouble_page(profile, addresses.with_way_back(site, connection, parameters, trouble, outcome))


def _refused(site: Site, connection: Connection, state: LinkState, error: str, now: datetime) -> Response:
    """The customer pressed Cancel at Xero (access_denied), or Xero itself gave up."""
    outcome = redirects.CANCELLED if error == "access_denied" else redirects.failed("Xero ended the authorisation")
    written = ConnectionError(
        status_code=str(outcome.status_code),
        status_text=outcome.status_text,
        error_message=outcome.error_message,
        errored_on=now,
    )
    site.linking("").failed(connection, written)
    to = addresses.platform(site, connection, outcome, state.parameters)
    if to is not None:
        return redirect(to)
    next, way = "You can close this window, or try again.", addresses.reconnect(connection)
    if outcome is redirects.CANCELLED:
        text = "You chose not to give access to Xero. Nothing was connected."
        trouble = Trouble(403, "You cancelled the connection", text, next, way=way)
    else:
        trouble = Trouble(502, "Xero ended the connection", "Nothing was connected.", next, way=way)
    return trouble_page(site.store.profile(), trouble)


def _without_code(connection: Connection) -> Trouble:
    return Trouble(
        400,
        "Xero’s answer was incomplete",
        "It did not contain an authorisation.",
        "Nothing was connected.",
        way=addresses.reconnect(connection),
    )


def _gone() -> Trouble:
    text = "It was removed while you were at Xero."
    return Trouble(404, "This connection no longer exists", text, "Nothing was connected. Ask for a new link.")
