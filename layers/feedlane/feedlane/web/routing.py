"""Routes a request to its page, and an error to the page that explains it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from feedlane.errors import (
    Conflict,
    FeedlaneError,
    Invalid,
    LimitReached,
    NotFound,
    ReconnectionNeeded,
    Refused,
    Unavailable,
)
from feedlane.store.table import ConditionFailed
from feedlane.texts import DEFAULT_LANGUAGE, spoken
from feedlane.web.error_pages import ErrorPage, NoSuchPage, error_page, explained, profile_of
from feedlane.web.link.language import customer_language, language_cookies
from feedlane.web.link.session import form_invalid_page
from feedlane.web.portal import sign_in
from feedlane.web.portal.session import ShowAgain, SignInNeeded
from feedlane.web.request import Request, refused_request_in, request_in
from feedlane.web.response import Response, not_ahead
from feedlane.web.sentences import try_again_in
from feedlane.web.site import Site

Page = Callable[..., Response]
Explain = Callable[[Site, Request, ErrorPage], Response]


class Route:
    """`{name}` in the path matches one segment and is passed to the page as an argument; `{name*}` matches the rest."""

    def __init__(self, method: str, path: str, page: Page) -> None:
        self.method = method
        self.path = path
        self.page = page
        segments = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        self._pattern = re.compile(re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", segments))

    def arguments(self, path: str) -> dict[str, str] | None:
        match = self._pattern.fullmatch(path)
        return match.groupdict() if match else None


def explain_to_customer(site: Site, request: Request, error: ErrorPage) -> Response:
    """In the frame of Link."""
    return error_page(profile_of(site), error)


def handle_request(
    routes: Sequence[Route],
    site: Site,
    event: dict[str, Any],
    logger: Any,
    explain: Explain = explain_to_customer,
) -> dict[str, Any]:
    """All that the handlers do. Neither query nor body is ever logged: they carry states, codes and keys.

    `explain` makes the pages that say what went wrong.
    """
    try:
        request = request_in(event, site.public_url)
    except Invalid as error:
        request = refused_request_in(event, site.public_url)
        response = _explain_error(site, request, error, explain)
    else:
        with spoken(customer_language(request) if explain is explain_to_customer else DEFAULT_LANGUAGE):
            response = _respond(routes, site, request, logger, explain)
        response = response.with_cookies(*language_cookies(request)) if explain is explain_to_customer else response
    logger.info("answered", method=request.method, path=request.path, status=response.status, correlation_id=request.id)
    return response.as_gateway_response(request)


def _respond(routes: Sequence[Route], site: Site, request: Request, logger: Any, explain: Explain) -> Response:
    try:
        return _answer(routes, site, request)
    except (FeedlaneError, ConditionFailed) as error:
        return _explain_error(site, request, error, explain)
    except Exception:
        logger.exception("page failed", path=request.path, correlation_id=request.id)
        return explain(site, request, explained(500, "unexpected"))


def _answer(routes: Sequence[Route], site: Site, request: Request) -> Response:
    try:
        return _dispatch(routes, site, request)
    except SignInNeeded:
        wanted, is_form = _wanted_page(routes, request)
        return sign_in.ask(site, request, wanted, is_form)
    except ShowAgain as again:
        if not _has_page(routes, again.request.path):
            raise form_invalid_page(_wanted_page(routes, request)[0], "open-again") from None
        page = _dispatch(routes, site, again.request)
        # A page that has nothing to show without the form leads to another one.
        is_shown = page.status < 300
        return (page.with_status(again.status) if is_shown else page).with_cookies(*again.cookies)


def _wanted_page(routes: Sequence[Route], request: Request) -> tuple[str, bool]:
    """The page that was asked for, or that has the form that was sent; and whether that is a form to be filled in.

    A button's own path has no page: it is on the nearest page above.
    """
    if request.method == "GET":
        return request.own_address, False
    path = request.path
    while path and not _has_page(routes, path):
        path = path.rpartition("/")[0]
    return quote(path) or sign_in.HOME, path == request.path


def _has_page(routes: Sequence[Route], path: str) -> bool:
    return any(route.method == "GET" and route.arguments(path) is not None for route in routes)


def _dispatch(routes: Sequence[Route], site: Site, request: Request) -> Response:
    if request.is_ahead:
        return not_ahead()
    for route in routes:
        arguments = route.arguments(request.path)
        if arguments is not None and route.method == request.method:
            if request.method == "POST" and request.is_cross_site:
                raise explained(403, "cross-site")
            return route.page(site, request, **arguments)
    raise NoSuchPage


def _explain_error(site: Site, request: Request, error: Exception, explain: Explain) -> Response:
    match error:
        case ErrorPage():
            page = error
        case NotFound():
            page = NoSuchPage()
        case Invalid():
            page = explained(400, "invalid", message=error.message)
        case Conflict():
            page = explained(409, "conflict", message=str(error))
        case LimitReached(retry_after=seconds):
            page = explained(503, "xero-limit", when=try_again_in(seconds))
        case Unavailable() | ConditionFailed():
            page = explained(503, "xero-away")
        case Refused() | ReconnectionNeeded():
            page = explained(403, "xero-refused", message=error.problem.sentence)
        case _:
            page = explained(500, "unexpected")
    response = explain(site, request, page)
    if isinstance(error, Unavailable) and error.retry_after:
        return response.with_headers({"Retry-After": str(error.retry_after)})
    return response
