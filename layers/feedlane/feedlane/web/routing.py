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
from feedlane.web.error_pages import ErrorPage, NoSuchPage, error_page, profile_of
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
        response = _respond(routes, site, request, logger, explain)
    logger.info("answered", method=request.method, path=request.path, status=response.status, correlation_id=request.id)
    return response.as_gateway_response(request)


def _respond(routes: Sequence[Route], site: Site, request: Request, logger: Any, explain: Explain) -> Response:
    try:
        return _answer(routes, site, request)
    except (FeedlaneError, ConditionFailed) as error:
        return _explain_error(site, request, error, explain)
    except Exception:
        logger.exception("page failed", path=request.path, correlation_id=request.id)
        return explain(site, request, _unexpected_error())


def _answer(routes: Sequence[Route], site: Site, request: Request) -> Response:
    try:
        return _dispatch(routes, site, request)
    except SignInNeeded:
        wanted, is_form = _wanted_page(routes, request)
        return sign_in.ask(site, request, wanted, is_form)
    except ShowAgain as again:
        if not _has_page(routes, again.request.path):
            raise form_invalid_page(_wanted_page(routes, request)[0], "Open the page again") from None
        page = _dispatch(routes, site, again.request)
        return page.with_status(again.status).with_cookies(*again.cookies)


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
                raise _cross_site_form()
            return route.page(site, request, **arguments)
    raise NoSuchPage


def _explain_error(site: Site, request: Request, error: Exception, explain: Explain) -> Response:
    match error:
        case ErrorPage():
            page = error
        case NotFound():
            page = NoSuchPage()
        case Invalid():
            page = ErrorPage(400, "That did not work", error.message)
        case Conflict():
            page = ErrorPage(409, "This cannot be done right now", str(error))
        case LimitReached(retry_after=seconds):
            page = ErrorPage(503, "Xero asks us to wait", "We could not complete your request.", try_again_in(seconds))
        case Unavailable() | ConditionFailed():
            page = _xero_unavailable()
        case Refused() | ReconnectionNeeded():
            page = ErrorPage(403, "Xero did not allow this", error.problem.sentence)
        case _:
            page = _unexpected_error()
    response = explain(site, request, page)
    if isinstance(error, Unavailable) and error.retry_after:
        return response.with_headers({"Retry-After": str(error.retry_after)})
    return response


def _unexpected_error() -> ErrorPage:
    return ErrorPage(
        500,
        "Something went wrong on our side",
        "Nothing you entered caused this.",
        "Please go back and try again. If it keeps happening, contact support.",
    )


def _xero_unavailable() -> ErrorPage:
    return ErrorPage(
        503,
        "Xero is not responding at the moment",
        "We could not complete your request.",
        "Wait a minute, then go back and try again.",
    )


def _cross_site_form() -> ErrorPage:
    text = "Another website tried to send this form."
    return ErrorPage(403, "This form did not come from our page", text, "Open the page directly and try again.")
