"""The portal's profile page: the platform's name and logo in Link, and where Link redirects to."""

from __future__ import annotations

from feedlane.errors import Invalid
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Profile
from feedlane.store.table import ConditionFailed
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.sentences import error_sentences
from feedlane.web.site import Site

_FIELD_NAMES = {
    "name": "Name",
    "redirectUrl": "Redirect URL",
    "logoUrl": "Logo",
    "iconUrl": "Icon",
    "whiteListUrls": "Allowed redirect hosts",
    "allowedOrigins": "Web pages that may call the API",
}


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    done = "Saved." if request.query.get("saved") else ""
    return _page(site, operator, settings_items.profile(site.store), done)


def save(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    entered = settings_items.profile(site.store).but(
        name=request.field("name"),
        redirect_url=request.field("redirect_url"),
        logo_url=request.field("logo_url"),
        icon_url=request.field("icon_url"),
        white_list_urls=_lines(request.field("white_list_urls")),
        allowed_origins=_lines(request.field("allowed_origins")),
    )
    try:
        settings_changes.change_profile(site.ports, site.clock(), entered)
    except Invalid as error:
        return _page(site, operator, entered, errors=error_sentences(error, _FIELD_NAMES), status=422)
    except ConditionFailed:
        errors = ["Someone else has just changed the profile. Please review it and try again."]
        return _page(site, operator, settings_items.profile(site.store), errors=errors, status=409)
    return see_other(request.url("/portal/profile?saved=yes"))


def _lines(text: str) -> tuple[str, ...]:
    """One address per line, without duplicates."""
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _page(
    site: Site, operator: Operator, entered: Profile, done: str = "", errors: list[str] | None = None, status: int = 200
) -> Response:
    return portal_page(
        site,
        operator,
        "portal_profile",
        status,
        title="Profile",
        section="profile",
        entered=entered,
        done=done,
        errors=errors or [],
    )
