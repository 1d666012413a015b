"""The portal's own error pages: in its frame, with a way back, and the id that logs have too."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from feedlane.settings.settings import Profile
from feedlane.web.error_pages import ErrorPage, profile_of
from feedlane.web.portal.session import Operator, find_operator, held_text
from feedlane.web.request import Request
from feedlane.web.response import Response, page
from feedlane.web.site import Site

logger = Logger(child=True)

# What the pages of Link say to customers means something else to an operator.
_NEXT_STEPS = {
    404: "Check the address, or search for the name or the id.",
    500: "Try again. If it happens again, look for the id below in the log of the function.",
    503: "Wait a minute, then try again.",
}


def explain(site: Site, request: Request, error: ErrorPage) -> Response:
    """Whatever else fails meanwhile: it says what happened all the same."""
    operator, held = _operator(site, request)
    profile: Profile = profile_of(site)
    frame: dict[str, Any] = {"form_token": "", "key_name": "", "note": ""}
    return page(
        "portal/error",
        error.status,
        logo_url=profile.logo_url,
        name=profile.name,
        home="/portal",
        title=error.title,
        error=error,
        next_step=_NEXT_STEPS.get(error.status, error.next_step),
        request_id=request.id,
        holds=held,
        **frame | (operator.template_context if operator else {}),
    )


def _operator(site: Site, request: Request) -> tuple[Operator | None, str]:
    try:
        operator = find_operator(site, request)
        return operator, held_text(site) if operator else ""
    except Exception as error:
        # Its text may have what nobody should read in a log.
        logger.warning("trouble is told without the navigation", kind=type(error).__name__, correlation_id=request.id)
        return None, ""
