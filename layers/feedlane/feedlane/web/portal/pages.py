"""The pages that only say something: what will be there, and how to do it today."""

from __future__ import annotations

from feedlane.settings import items as settings_items
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other, static
from feedlane.web.site import Site
from feedlane.web.templates import ICON


def home(site: Site, request: Request) -> Response:
    """The address without a path: what an operator types."""
    return see_other(request.url("/portal"))


def icon(site: Site, request: Request) -> Response:
    return static(ICON, "image/svg+xml")


def files(site: Site, request: Request) -> Response:
    return portal_page(site, require_operator(site, request), "files", title="Files", section="files")


def api_keys(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    keys = sorted(settings_items.api_keys(site.store), key=lambda key: key.created)
    return portal_page(site, operator, "settings/keys", title="Keys", section="keys", keys=keys)
