"""The portal's profile page: the platform's name and logo in Link, and where Link redirects to."""

from __future__ import annotations

from collections.abc import Sequence

from feedlane.errors import Invalid
from feedlane.settings import changes as settings_changes
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Profile
from feedlane.store.table import ConditionFailed
from feedlane.web.form_errors import FormError, Words, form_errors, whole_form
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site

WORDS = Words(
    {
        "name": ("name", "Name"),
        "redirectUrl": ("redirect_url", "Redirect URL"),
        "logoUrl": ("logo_url", "Logo"),
        "iconUrl": ("icon_url", "Icon"),
        "colour": ("colour", "Colour"),
        "supportAddress": ("support_address", "Support address"),
        "signInUrl": ("sign_in_url", "Sign-in URL"),
        "whiteListUrls": ("white_list_urls", "Allowed redirect hosts"),
        "allowedOrigins": ("allowed_origins", "Web pages that may call the API"),
    },
    {("name", "Length"): "Enter a name of 1 to 255 characters."},
)
_CHANGED_BY_OTHER = "Someone else has just changed the profile. Please review it and try again."


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    done = "Saved." if request.query.get("saved") else ""
    profile = settings_items.profile(site.store)
    return _page(site, operator, _entered(request, profile) if request.form else profile, done)


def save(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    entered = _entered(request, settings_items.profile(site.store))
    try:
        settings_changes.change_profile(site.ports, site.clock(), entered)
    except Invalid as error:
        return _page(site, operator, entered, errors=form_errors(error, WORDS), status=422)
    except ConditionFailed:
        stored = settings_items.profile(site.store)
        return _page(site, operator, stored, errors=whole_form(_CHANGED_BY_OTHER), status=409)
    return see_other(request.url("/portal/profile?saved=yes"))


def _entered(request: Request, profile: Profile) -> Profile:
    """The profile with what the form brings."""
    return profile.but(
        name=request.field("name"),
        redirect_url=request.field("redirect_url"),
        logo_url=request.field("logo_url"),
        icon_url=request.field("icon_url"),
        colour=request.field("colour").lower(),
        support_address=request.field("support_address"),
        sign_in_url=request.field("sign_in_url"),
        white_list_urls=_lines(request.field("white_list_urls")),
        allowed_origins=_lines(request.field("allowed_origins")),
    )


def _lines(text: str) -> tuple[str, ...]:
    """One address per line, without duplicates."""
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _page(
    site: Site,
    operator: Operator,
    entered: Profile,
    done: str = "",
    errors: Sequence[FormError] = (),
    status: int = 200,
) -> Response:
    return portal_page(
        site,
        operator,
        "settings/profile",
        status,
        title="Profile",
        section="profile",
        entered=entered,
        done=done,
        errors=errors,
    )
