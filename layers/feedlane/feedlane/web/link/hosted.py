"""Codat's hosted Link: the start there, and the customer's return with Codat's redirect.

A redirect says nothing by itself: it has to bring the state of what was started, in the browser in which it was, with
the company and the connection that it was for. Then Codat is asked, and what Codat says counts.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

from feedlane.companies.connection import Connection
from feedlane.errors import Unavailable
from feedlane.ids import fingerprint
from feedlane.link import hosted_visits, start_window
from feedlane.link import state_items as link_state_items
from feedlane.link.consent_end import ConsentEnd
from feedlane.link.hosted_linking import HostedLinking
from feedlane.link.linking import NotLinked
from feedlane.link.passwords import LinkPassword, PasswordSpent
from feedlane.link.state import HOSTED_STATE_LIFETIME, LinkState
from feedlane.settings import items as settings_items
from feedlane.web.cookies import Cookie, flow_cookie_name
from feedlane.web.error_pages import ErrorPage, not_linked_page
from feedlane.web.link import passwords as password_pages
from feedlane.web.link import paths, redirects
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect
from feedlane.web.site import Site

# The parameter of Codat's link that its redirect template hands back as `state`.
STATE_PARAMETER = "feedlaneState"
DONE, LEFT_CONNECTED, CANCELLED, NOT_SUPPORTED = "200", "201", "403", "501"
PARAMETER_LENGTH_MAX = 100


class Answer(NamedTuple):
    """What Codat's redirect says. None of it is believed."""

    status_code: str
    company_id: str
    connection_id: str

    @classmethod
    def of(cls, request: Request) -> Answer:
        names = ("statusCode", "companyId", "connectionId")
        return cls(*(request.query.get(name, "")[:PARAMETER_LENGTH_MAX].strip() for name in names))

    def is_about(self, connection: Connection) -> bool:
        """Only what is done names both for certain: for 201, Codat has no connection to name."""
        place = connection.hosted
        if place is None:
            return False
        pairs = ((self.company_id, place.company_id), (self.connection_id, place.connection_id))
        may_lack = self.status_code not in ("", DONE)
        return all(given.lower() == own.lower() or (may_lack and not given) for given, own in pairs)

    @property
    def is_success(self) -> bool:
        return self.status_code in (DONE, LEFT_CONNECTED)

    @property
    def outcome(self) -> redirects.RedirectResult:
        """How Link ended, if it was not with a linked connection."""
        if self.status_code == CANCELLED:
            return redirects.CANCELLED
        if self.status_code == NOT_SUPPORTED:
            return redirects.not_supported("Codat does not support the platform for this client")
        return redirects.failed("Codat could not link the connection")


def linking(site: Site) -> HostedLinking:
    return HostedLinking(site.ports, site.hosted_link)


def start(
    site: Site, request: Request, connection: Connection, password: LinkPassword | None, parameters: dict[str, str]
) -> Response:
    """Redirects to Codat's Link with a state of ours. Raises `ErrorPage`."""
    now, hosted = site.clock(), linking(site)
    try:
        hosted.require_startable(connection)
        if not hosted_visits.admit_start(site.store, connection.id, now):
            raise _too_often()
        url = hosted.prepare(connection)
    except NotLinked as error:
        page, outcome = not_linked_page(error, settings_items.profile(site.store).name)
        raise paths.with_return_url(site, connection, parameters, page, outcome) from None
    except Unavailable:
        raise _not_responding(paths.start(connection), "Nothing has changed.") from None
    state, browser = site.new_secret(), site.new_secret()
    link_state = LinkState(
        fingerprint=fingerprint(state),
        browser=fingerprint(browser),
        company_id=connection.company_id,
        connection_id=connection.id,
        parameters=parameters,
        password=password.fingerprint if password else "",
        began=now,
        expires=now + HOSTED_STATE_LIFETIME,
    )
    start_window.store_start(site.store, link_state, link_state_items.add_state(link_state))
    cookies = [Cookie(flow_cookie_name(state), browser, HOSTED_STATE_LIFETIME)]
    if password:
        cookies += password_pages.password_cookies(request, connection.company_id, connection.id)
    return redirect(_with_parameter(url, STATE_PARAMETER, state)).with_cookies(*cookies)


def finish(site: Site, request: Request, connection: Connection, state: LinkState) -> Response:
    """The customer is back from Codat. Raises `ErrorPage`, `StateError`."""
    # Here, because that module hands over to this one.
    from feedlane.web.link import callback as pages

    answer, now, hosted = Answer.of(request), site.clock(), linking(site)
    if not answer.is_about(connection):
        raise _foreign_answer()
    if not hosted_visits.admit_return(site.store, state.fingerprint, now):
        raise _too_often()
    try:
        tenant = hosted.tenant_of(connection)
        if tenant is not None and (answer.is_success or not connection.is_linked or connection.needs_reconnection):
            secret, end = pages.consent_end(site, state, answer_fingerprint(answer))
            linked = hosted.link(connection, tenant, now, end)
            return pages.answer_linked(site, request, linked, state, secret)
    except NotLinked as error:
        failure = ConsentEnd(state).failure_writes()
        return pages.fail_linking(site, request, connection, state.parameters, error, now, failure)
    except PasswordSpent:
        raise password_pages.spent_link_page(settings_items.profile(site.store).name) from None
    except Unavailable:
        pages.record_unfinished(site, connection, now, "Codat did not respond after the customer came back")
        raise _not_responding(
            _again(request), "You finished there, but we could not complete the connection."
        ) from None
    if answer.is_success:
        raise _not_confirmed(_again(request))
    return _end_without_link(site, connection, answer, state, now)


def answer_fingerprint(answer: Answer) -> str:
    """By which a repeat of the same redirect is recognised."""
    return fingerprint(f"codat {answer.status_code} {answer.company_id.lower()} {answer.connection_id.lower()}")


def _end_without_link(site: Site, connection: Connection, answer: Answer, state: LinkState, now: datetime) -> Response:
    """Codat does not have it as linked either, or the customer gave up on one that stays as it is."""
    from feedlane.web.link import callback as pages

    outcome = answer.outcome
    site.linking("").record_failure(connection, pages.fault_of(outcome, now), *ConsentEnd(state).failure_writes())
    platform_url = paths.platform_url(site, connection, outcome, state.parameters)
    if platform_url is not None:
        return redirect(platform_url)
    status, title, explanation, next_step = _ENDINGS.get(answer.status_code, _FAILED)
    retry_url = "" if answer.status_code == NOT_SUPPORTED else paths.reconnect(connection)
    raise ErrorPage(status, title, explanation, next_step, retry_url=retry_url)


_AGAIN = "You can close this window, or try again."
_ENDINGS: dict[str, tuple[int, str, str, str]] = {
    CANCELLED: (
        403,
        "You cancelled the connection",
        "You left before access to Xero was given. Nothing was connected.",
        _AGAIN,
    ),
    NOT_SUPPORTED: (
        501,
        "Xero is not available yet",
        "The service through which this platform connects does not offer Xero to it yet.",
        "This is not your fault. Please ask the platform when it will be available.",
    ),
}
_FAILED = (502, "The connection could not be made", "Something went wrong on the way to Xero.", _AGAIN)


def _too_often() -> ErrorPage:
    return ErrorPage(
        429,
        "This link was opened too often",
        "To protect the connections of others, it works only so many times an hour.",
        "Nothing has changed. Please try again in an hour.",
    )


def _with_parameter(url: str, name: str, value: str) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode({name: value})]))
    return urlunsplit(parts._replace(query=query))


def _again(request: Request) -> str:
    """This URL: the state stays open until Codat has answered."""
    return f"?{urlencode(dict(request.query))}"


def _foreign_answer() -> ErrorPage:
    return ErrorPage(
        400,
        "This response belongs to another connection",
        "It does not name what was started in this browser.",
        "Nothing has changed. Start again from the link you were given.",
    )


def _not_confirmed(retry_url: str) -> ErrorPage:
    return ErrorPage(
        409,
        "The connection is not confirmed yet",
        "The service through which you connected does not have it as connected.",
        "Nothing has changed. If you have just given access, wait a minute and try again.",
        retry_url=retry_url,
    )


def _not_responding(retry_url: str, explanation: str) -> ErrorPage:
    return ErrorPage(
        503,
        "We cannot reach your accounting software at the moment",
        explanation,
        "Wait a minute, then try again.",
        retry_url=retry_url,
    )
