"""The return from Xero's consent: verifies the state, links the connection and continues to the accounts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlencode

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionFault
from feedlane.errors import Unavailable
from feedlane.ids import fingerprint
from feedlane.link import passwords as stored_passwords
from feedlane.link import state_items as link_state_items
from feedlane.link.choice import OrganisationChoice
from feedlane.link.consent_end import ConsentEnd
from feedlane.link.linking import NotLinked
from feedlane.link.passwords import LinkPassword, PasswordSpent
from feedlane.link.state import LinkState, StateError, UsedState, require_valid_state
from feedlane.settings import items as settings_items
from feedlane.store.table import Put, Write
from feedlane.web import sessions
from feedlane.web.cookies import Cookie, flow_cookie_name, link_cookie_name, value_in
from feedlane.web.error_pages import (
    ErrorPage,
    bank_feeds_missing_page,
    error_page,
    explained,
    not_linked_page,
    state_error_page,
)
from feedlane.web.link import hosted, paths, redirects
from feedlane.web.link import passwords as password_pages
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect
from feedlane.web.sessions import LINK_SESSION_LIFETIME, LinkSession
from feedlane.web.site import Site

# Xero's codes have about 43 characters.
PARAMETER_LENGTH_MAX = 2048
# The reason of the fault on a connection whose consent could not be completed yet.
UNFINISHED = "consent-unfinished"
# Failures that the customer can resolve by authorising again.
_RETRYABLE_STATUSES = frozenset({400, 403, 409})


def callback(site: Site, request: Request) -> Response:
    """Stores nothing unless the state is valid. The commit of the consent's result uses the state up.

    Until then the browser may load this URL again after any failure; after it, it continues where it was.
    """
    state, code, error = (request.query.get(name, "") for name in ("state", "code", "error"))
    if request.is_head:
        return _answer_head(site, request, state)
    try:
        link_state = _require_state(site, request, state)
        connection = company_items.find_connection(site.store, link_state.company_id, link_state.connection_id)
        if connection is None:
            raise _deleted_connection()
        if not connection.is_direct:
            return hosted.finish(site, request, connection, link_state)
        if not error and not 0 < len(code) <= PARAMETER_LENGTH_MAX:
            raise _missing_code(connection)
        if error:
            return _refuse_consent(site, connection, link_state, error, site.clock())
        return _link(site, request, connection, link_state, code, site.clock())
    except UsedState as used:
        return _continue(site, request, used.state, _answer_fingerprint(request, code if not error else ""))
    except StateError as invalid:
        raise state_error_page(invalid, _start_path(site, invalid.state)) from None


def _answer_head(site: Site, request: Request, state: str) -> Response:
    """Whether the state is valid. Nothing is exchanged, and the consent goes on with the browser's GET."""
    try:
        link_state = _require_state(site, request, state)
    except StateError as invalid:
        raise state_error_page(invalid, "") from None
    return redirect(request.url(f"{paths.path_of(link_state.company_id, link_state.connection_id)}/accounts"))


def _require_state(site: Site, request: Request, state: str) -> LinkState:
    """Raises `StateError`."""
    browser = value_in(request, flow_cookie_name(state))
    link_state = link_state_items.find_state(site.store, state) if 0 < len(state) <= PARAMETER_LENGTH_MAX else None
    return require_valid_state(link_state, fingerprint(browser) if browser else None, site.clock())


def _start_path(site: Site, state: LinkState | None) -> str:
    """Where to authorise the state's connection again; empty if it is unknown."""
    connection = company_items.find_connection(site.store, state.company_id, state.connection_id) if state else None
    return paths.start(connection) if connection else ""


def _answer_fingerprint(request: Request, code: str) -> str:
    """By which a repeat is recognised; empty for an answer that links nothing."""
    if code:
        return fingerprint(code)
    answer = hosted.Answer.of(request)
    return hosted.answer_fingerprint(answer) if answer.status_code else ""


def _continue(site: Site, request: Request, used: LinkState | None, code: str) -> Response:
    """The same browser brings an answer again. If that answer linked the connection, it gets a session once more.

    `code` is the fingerprint of the answer.

    The first response, with its cookie, may have been lost. Raises `ErrorPage` for anything else.
    """
    # As stored: the caller may have read the state before it was used.
    state = link_state_items.find_state_by_fingerprint(site.store, used.fingerprint) if used else None
    connection = company_items.find_connection(site.store, state.company_id, state.connection_id) if state else None
    now = site.clock()
    is_same = state is not None and bool(code) and state.code == code and now < state.expires
    if state is None or connection is None or not is_same or not (connection.is_linked or state.choice):
        raise state_error_page(UsedState("The state has been used", state), _start_path(site, state))
    secret, choice = site.new_secret(), None if connection.is_linked else state.choice
    site.store.commit(_put_session(secret, state, choice, now))
    return _answer(site, request, choice or connection, connection, state, secret)


def _link(site: Site, request: Request, connection: Connection, state: LinkState, code: str, now: datetime) -> Response:
    secret, end = consent_end(site, state, fingerprint(code))
    try:
        linking = site.linking(state.redirect_uri or paths.redirect_uri(request))
        result = linking.finish_authorisation(connection, code, now, state.verifier, end)
    except NotLinked as error:
        return fail_linking(site, request, connection, state.parameters, error, now, end.failure_writes())
    except PasswordSpent:
        raise password_pages.spent_link_page(settings_items.profile(site.store).name) from None
    except Unavailable:
        record_unfinished(site, connection, now)
        # This URL again: what Xero has granted is not lost.
        raise explained(503, "unfinished", f"?{urlencode(dict(request.query))}") from None
    # The flow's cookie stays until it expires: a browser that loads this URL again is recognised and can continue.
    return _answer(site, request, result, connection, state, secret)


def consent_end(site: Site, state: LinkState, answer: str) -> tuple[str, ConsentEnd]:
    """The secret of the session that begins with the result, and what ends together with it.

    `answer` is the fingerprint of the answer, by which a repeat of it is recognised.
    """
    secret, now = site.new_secret(), site.clock()
    password = _password_to_spend(site, state)
    return secret, ConsentEnd(state, answer, password, lambda choice: [_put_session(secret, state, choice, now)])


def answer_linked(site: Site, request: Request, linked: Connection, state: LinkState, secret: str) -> Response:
    return _answer(site, request, linked, linked, state, secret)


def record_unfinished(
    site: Site, connection: Connection, now: datetime, why: str = "Xero did not respond after the customer gave access"
) -> None:
    """Says on the connection, once, that its consent could not be completed: the customer may never try again.

    The state stays open, so that the customer can.
    """
    if any(fault.reason == UNFINISHED and fault.resolved_on is None for fault in connection.errors):
        return
    fault = fault_of(redirects.failed(why), now).but(reason=UNFINISHED)
    with suppress(Unavailable):  # the table is away too
        site.linking("").record_failure(connection, fault)


def _password_to_spend(site: Site, state: LinkState) -> LinkPassword | None:
    """Of two concurrent consents on one link, the first counts: Xero is not even asked about the second."""
    password = stored_passwords.find_password_by_fingerprint(site.store, state.password) if state.password else None
    if password is not None and password.spent:
        raise password_pages.spent_link_page(settings_items.profile(site.store).name)
    return password


def _put_session(secret: str, state: LinkState, choice: OrganisationChoice | None, now: datetime) -> Put:
    session = LinkSession(
        company_id=state.company_id,
        connection_id=state.connection_id,
        parameters=state.parameters,
        choice=choice,
        password=state.password,
    )
    return sessions.put_session(secret, session, now, LINK_SESSION_LIFETIME)


def _answer(
    site: Site,
    request: Request,
    result: Connection | OrganisationChoice,
    connection: Connection,
    state: LinkState,
    secret: str,
) -> Response:
    cookie = Cookie(link_cookie_name(connection.id), secret, LINK_SESSION_LIFETIME)
    if isinstance(result, OrganisationChoice):
        return redirect(request.url(paths.organisation(connection))).with_cookies(cookie)
    return after_linking(site, request, result, state.parameters).with_cookies(cookie)


def after_linking(site: Site, request: Request, linked: Connection, parameters: dict[str, str]) -> Response:
    """Continues to the accounts, or explains that without access to bank feeds nothing can be mapped."""
    if not linked.needs_reconnection:
        return redirect(request.url(next_path(site, linked)))
    profile = settings_items.profile(site.store)
    organisation = linked.tenant.name if linked.tenant else ""
    page, outcome = bank_feeds_missing_page(profile.name, organisation, paths.reconnect(linked))
    return error_page(profile, paths.with_return_url(site, linked, parameters, page, outcome))


def next_path(site: Site, connection: Connection) -> str:
    """After linking: the accounts, or the final page if there are none to map."""
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
    also: Sequence[Write] = (),
) -> Response:
    """Records the failure on the connection, in one commit with `also`, and explains it on a page."""
    profile = settings_items.profile(site.store)
    page, outcome = not_linked_page(error, profile.name)
    site.linking(paths.redirect_uri(request)).record_failure(connection, fault_of(outcome, now), *also)
    page.retry_url = paths.reconnect(connection) if page.status in _RETRYABLE_STATUSES else ""
    return error_page(profile, paths.with_return_url(site, connection, parameters, page, outcome))


def _refuse_consent(site: Site, connection: Connection, state: LinkState, error: str, now: datetime) -> Response:
    """The customer cancelled at Xero (`access_denied`), or Xero itself reported an error."""
    outcome = redirects.CANCELLED if error == "access_denied" else redirects.failed("Xero ended the authorisation")
    site.linking("").record_failure(connection, fault_of(outcome, now), *ConsentEnd(state).failure_writes())
    platform_url = paths.platform_url(site, connection, outcome, state.parameters)
    if platform_url is not None:
        return redirect(platform_url)
    status, key = (403, "cancelled") if outcome is redirects.CANCELLED else (400, "xero-ended")
    return error_page(settings_items.profile(site.store), explained(status, key, paths.reconnect(connection)))


def fault_of(outcome: redirects.RedirectResult, now: datetime) -> ConnectionFault:
    """The outcome as it is recorded on the connection."""
    return ConnectionFault(
        status_code=str(outcome.status_code),
        status_text=outcome.status_text,
        error_message=outcome.error_message,
        errored_on=now,
    )


def _missing_code(connection: Connection) -> ErrorPage:
    return explained(400, "no-code", paths.reconnect(connection))


def _deleted_connection() -> ErrorPage:
    return explained(404, "deleted")
