"""Feeds and their progress. A Feedlane extension."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools.event_handler import Response

from api.answers import ok
from api.parts import current_parts
from api.paths import account_id_in
from api.requests import Routes
from feedlane.codat.bodies import ReleaseBody, ResolveBody, parse_body
from feedlane.codat.paging import lazy_page, page_of, page_request
from feedlane.companies import items as company_items
from feedlane.errors import Invalid, NotFound
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds.held_feeds import WaitingCount, count_waiting
from feedlane.ids import feed_id
from feedlane.pushes.shapes import push_operation_json
from feedlane.statements import items as statement_items
from feedlane.statements import resolution
from feedlane.statements.resolution import Resolution
from feedlane.statements.shapes import FEED_FIELDS, feed_json

router = Routes()


@router.get("/feeds")
def list_feeds() -> Response[str]:
    """All feeds, or those of `companyId` or `connectionId`."""
    parameters = router.parameters
    request = page_request(parameters, FEED_FIELDS, "Feed")
    filters = {name: parameters[name] for name in ("companyId", "connectionId") if parameters.get(name)}
    feeds = sorted(_select_feeds(filters), key=lambda feed: feed.id)
    if request.is_unfiltered:
        return ok(lazy_page(request, "/feeds", feeds, _views, filters))
    return ok(page_of(request, "/feeds", _views(feeds), filters))


@router.get("/feeds/<connection_id>/<account>")
def get_feed(connection_id: str, account: str) -> Response[str]:
    return ok(_views([_find_feed(connection_id, account)])[0])


@router.post("/feeds/<connection_id>/<account>/release")
def release_feed(connection_id: str, account: str) -> Response[str]:
    """Releases every hold that stops the feed, including those on its tenant and on the app."""
    parts = current_parts()
    feed = _find_feed(connection_id, account)
    body = parse_body(ReleaseBody, router.body or "{}")
    operations = hold_release.release_feed(parts.ports, parts.clock(), feed, body.set_aside)
    return ok({"results": [push_operation_json(operation) for operation in operations]})


@router.post("/feeds/<connection_id>/<account>/statements/<number>/resolve")
def resolve_statement(connection_id: str, account: str, number: str) -> Response[str]:
    """Records what an operator knows about a statement that Xero never completes. Answers the feed."""
    parts = current_parts()
    feed = _find_feed(connection_id, account)
    if not re.fullmatch("[0-9]{1,12}", number):
        raise NotFound("statement", number)
    outcome = parse_body(ResolveBody, router.body or "{}").outcome
    if outcome not in list(Resolution):
        raise Invalid.field("outcome", f"must be {' or '.join(Resolution)}", "Enum")
    resolved = resolution.resolve(parts.ports, parts.clock(), feed.id, int(number), Resolution(outcome))
    return ok(_views([resolved])[0])


def _find_feed(connection_id: str, account: str) -> Feed:
    id = feed_id(connection_id, account_id_in(account))
    feed = feed_items.find_feed(current_parts().store, id)
    if feed is None:
        raise NotFound("feed", id)
    return feed


def _select_feeds(filters: dict[str, str]) -> Iterable[Feed]:
    store = current_parts().store
    if "connectionId" in filters:
        feeds: Iterable[Feed] = feed_items.feeds_of_connection(store, filters["connectionId"])
    elif "companyId" in filters:
        connections = company_items.connections(store, filters["companyId"])
        feeds = [feed for connection in connections for feed in feed_items.feeds_of_connection(store, connection.id)]
    else:
        feeds = feed_items.all_feeds(store)
    company_id = filters.get("companyId")
    return [feed for feed in feeds if company_id in (None, feed.company_id)]


def _views(feeds: Iterable[Feed]) -> list[dict[str, Any]]:
    """Counts the lines that wait behind a hold once, however many of the feeds it stops."""
    store, counts, views = current_parts().store, dict[str, WaitingCount](), []
    for feed in feeds:
        hold = next(iter(hold_items.holds_on(store, feed.hold_subjects)), None)
        if hold is not None and hold.id not in counts:
            counts[hold.id] = count_waiting(store, hold)
        waiting = counts[hold.id] if hold else None
        views.append(feed_json(feed, statement_items.last_statement(store, feed), hold, waiting))
    return views
