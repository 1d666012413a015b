"""Routes a request to its page, and an error to the page that explains it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

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
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Profile
from feedlane.store.table import ConditionFailed
from feedlane.web.error_pages import ErrorPage, NoSuchPage, error_page
from feedlane.web.portal.session import SignInNeeded
from feedlane.web.request import Request, refused_request_in, request_in
from feedlane.web.response import Response, not_ahead, see_other
from feedlane.web.sentences import try_again_in
from feedlane.web.site import Site

Page = Callable[..., Response]


class Route:
    """`{name}` in the path matches one segment and is passed to the page as an argument."""

    def __init__(self, method: str, path: str, page: Page) -> None:
        self.method = method
        self.path = path
        self.page = page
        self._pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def arguments(self, path: str) -> dict[str, str] | None:
        match = self._pattern.fullmatch(path)
        return match.groupdict() if match else None


def handle_request(routes: Sequence[Route], site: Site, event: dict[str, Any], logger: Any) -> dict[str, Any]:
    """All that the handlers do. Neither query nor body is ever logged: they carry states, codes and keys."""
    try:
        request = request_in(event, site.public_url)
    except Invalid as error:
        request = refused_request_in(event, site.public_url)
        response = _explain_error(site, error)
    else:
        response = _respond(routes, site, request, logger)
    logger.info("answered", method=request.method, path=request.path, status=response.status)
    return response.as_gateway_response(request)


def _respond(routes: Sequence[Route], site: Site, request: Request, logger: Any) -> Response:
    try:
        return _dispatch(routes, site, request)
    except SignInNeeded:
        return see_other(request.url("/portal/sign-in"))
    except (FeedlaneError, ConditionFailed) as error:
        return _explain_error(site, error)
    except Exception:
        logger.exception("page failed", path=request.path)
        return error_page(_profile(site), _unexpected_error())


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


def _explain_error(site: Site, error: Exception) -> Response:
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
    response = error_page(_profile(site), page)
    if isinstance(error, Unavailable) and error.retry_after:
        return response.with_headers({"Retry-After": str(error.retry_after)})
    return response


def _profile(site: Site) -> Profile:
    """Without the platform's name if it cannot be read: the page says what happened all the same."""
    try:
        return settings_items.profile(site.store)
    except Exception:
        return Profile()


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
