"""Codat's hosted Link: the start there, and the customer's return with Codat's redirect.

A redirect says nothing by itself: it has to bring the state of what was started, in the browser in which it was, with
the company and the connection that it was for. Then Codat is asked, and what Codat says counts.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

from feedlane.companies.connection import Connection
from feedlane.companies.hosted_link import STATE_PARAMETER
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
from feedlane.web.error_pages import ErrorPage, explained, not_linked_page
from feedlane.web.link import passwords as password_pages
from feedlane.web.link import paths, redirects
from feedlane.web.request import Request
from feedlane.web.response import Response, redirect
from feedlane.web.site import Site

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
        raise explained(503, "hosted-away", paths.start(connection)) from None
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
        raise explained(400, "hosted-foreign")
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
        raise explained(503, "hosted-unfinished", _again(request)) from None
    if answer.is_success:
        raise explained(409, "hosted-not-confirmed", _again(request))
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
    status, key = _ENDINGS.get(answer.status_code, (502, "hosted-failed"))
    retry_url = "" if answer.status_code == NOT_SUPPORTED else paths.reconnect(connection)
    raise explained(status, key, retry_url, name=settings_items.profile(site.store).name)


_ENDINGS = {CANCELLED: (403, "hosted-cancelled"), NOT_SUPPORTED: (501, "hosted-not-supported")}


def _too_often() -> ErrorPage:
    return explained(429, "hosted-too-often")


def _with_parameter(url: str, name: str, value: str) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode({name: value})]))
    return urlunsplit(parts._replace(query=query))


def _again(request: Request) -> str:
    """This URL: the state stays open until Codat has answered."""
    return f"?{urlencode(dict(request.query))}"
