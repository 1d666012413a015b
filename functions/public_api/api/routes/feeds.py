"""Feeds: where each stands. Feedlane's own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.paths import account_id_in
from api.requests import Routes
from feedlane.codat.bodies import ReleaseBody, ResolveBody, parse_body
from feedlane.codat.paging import lazy_page, page_of, page_request
from feedlane.companies import items as company_items
from feedlane.errors import Invalid, NotFound
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.holds import release as hold_release
from feedlane.holds.placement import WaitingCount
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
    chosen = {name: parameters[name] for name in ("companyId", "connectionId") if parameters.get(name)}
    found = sorted(_chosen(chosen), key=lambda feed: feed.id)
    if request.is_unfiltered:
        return ok(lazy_page(request, "/feeds", found, _shown, chosen))
    return ok(page_of(request, "/feeds", _shown(found), chosen))


@router.get("/feeds/<connection_id>/<account>")
def get_feed(connection_id: str, account: str) -> Response[str]:
    return ok(_shown([_found(connection_id, account)])[0])


@router.post("/feeds/<connection_id>/<account>/release")
def release_feed(connection_id: str, account: str) -> Response[str]:
    """Lifts every hold that stops the feed, the tenant's and the app's included."""
    own, feed = parts.current, _found(connection_id, account)
    given = parse_body(ReleaseBody, router.body or "{}")
    started = hold_release.release_feed(own.ports, own.clock(), feed, given.set_aside)
    return ok({"results": [push_operation_json(operation) for operation in started]})


@router.post("/feeds/<connection_id>/<account>/statements/<number>/resolve")
def resolve_statement(connection_id: str, account: str, number: str) -> Response[str]:
    """An operator's word on a statement that Xero never ends. Answers the feed."""
    own, feed = parts.current, _found(connection_id, account)
    if not re.fullmatch("[0-9]{1,12}", number):
        raise NotFound("statement", number)
    said = parse_body(ResolveBody, router.body or "{}").outcome
    if said not in list(Resolution):
        raise Invalid.field("outcome", f"must be {' or '.join(Resolution)}", "Enum")
    return ok(_shown([resolution.resolve(own.ports, own.clock(), feed.id, int(number), Resolution(said))])[0])


def _found(connection_id: str, account: str) -> Feed:
    id = feed_id(connection_id, account_id_in(account))
    feed = feed_items.find_feed(parts.current.store, id)
    if feed is None:
        raise NotFound("feed", id)
    return feed


def _chosen(chosen: dict[str, str]) -> Iterable[Feed]:
    store = parts.current.store
    if "connectionId" in chosen:
        found: Iterable[Feed] = feed_items.feeds_of_connection(store, chosen["connectionId"])
    elif "companyId" in chosen:
        connections = company_items.connections(store, chosen["companyId"])
        found = [feed for one in connections for feed in feed_items.feeds_of_connection(store, one.id)]
    else:
        found = feed_items.all_feeds(store)
    company_id = chosen.get("companyId")
    return [feed for feed in found if company_id in (None, feed.company_id)]


def _shown(feeds: Iterable[Feed]) -> list[dict[str, Any]]:
    """What waits behind a hold is counted once, however many of the feeds it stops."""
    store, counted, shown = parts.current.store, dict[str, WaitingCount](), []
    for feed in feeds:
        hold = next(iter(hold_items.holds_on(store, feed.hold_subjects)), None)
        if hold is not None and hold.id not in counted:
            counted[hold.id] = placement.count_waiting(store, hold)
        behind = counted[hold.id] if hold else None
        shown.append(feed_json(feed, statement_items.last_statement(store, feed), hold, behind))
    return shown
