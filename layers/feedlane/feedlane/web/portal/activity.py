"""The portal's activity: the events that people read, the newest first."""

from __future__ import annotations

from feedlane.events.event import Event
from feedlane.store import keys
from feedlane.web.portal.listing import list_query, read_page
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.webhooks.event_words import event_rows
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site


def show(site: Site, request: Request) -> Response:
    operator = require_operator(site, request)
    page = read_page(
        site.store,
        list_query(request),
        keys.NOTED_EVENTS,
        lambda items: event_rows(site.store, [Event.model_validate(item) for item in items]),
        newest_first=True,
    )
    return portal_page(site, operator, "activity", title="Activity", section="activity", page=page)
