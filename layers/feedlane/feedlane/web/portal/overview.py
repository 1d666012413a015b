"""The portal's overview: what is connected, and what needs the operator."""

from __future__ import annotations

from feedlane.companies import connection_limit
from feedlane.companies import items as company_items
from feedlane.holds import items as hold_items
from feedlane.settings import items as settings_items
from feedlane.settings.settings import limit_of
from feedlane.web.portal.holds import hold_rows
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site

HOLDS_SHOWN_MAX = 5


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    store, settings = site.store, settings_items.settings(site.store)
    return portal_page(
        site,
        operator,
        "portal_overview",
        title="Overview",
        section="overview",
        settings=settings,
        limit=limit_of(settings),
        connected_organisations=connection_limit.taken_places(store),
        companies=company_items.company_blocks(store).total,
        hold_rows=hold_rows(store, hold_items.holds(store, limit=HOLDS_SHOWN_MAX)),
    )
