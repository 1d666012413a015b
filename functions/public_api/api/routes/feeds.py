"""Feeds and their progress. A Feedlane extension."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.paths import account_id_in
from api.requests import Routes
from feedlane import holding, releasing, resolving
from feedlane.codat.bodies import ReleaseBody, ResolveBody, parsed
from feedlane.codat.feeds import FEED_FIELDS, feed_json
from feedlane.codat.paging import lazy_page, page_of, page_request
from feedlane.codat.push import push_operation_json
from feedlane.errors import Invalid, NotFound
from feedlane.feed import Feed, feed_id
from feedlane.holding import Counted
from feedlane.resolving import Outcome
from feedlane.store import ledger

router = Routes()


@router.get("/feeds")
def list_feeds() -> Response[str]:
    """All feeds, or those of `companyId` or `connectionId`."""
    parameters = router.parameters
    request = page_request(parameters, FEED_FIELDS, "Feed")
    filters = {name: parameters[name] for name in ("companyId", "connectionId") if parameters.get(name)}
    feeds = sorted(_select(filters), key=lambda feed: feed.id)
    if request.asks_nothing:
        return ok(lazy_page(request, "/feeds", feeds, _views, filters))
    return ok(page_of(request, "/feeds", _views(feeds), filters))


@router.get("/feeds/<connection_id>/<account>")
def get_feed(connection_id: str, account: str) -> Response[str]:
    return ok(_views([_find(connection_id, account)])[0])


@router.post("/feeds/<connection_id>/<account>/release")
def release_feed(connection_id: str, account: str) -> Response[str]:
    """Releases every hold that stops the feed, including those on its tenant and on the app."""
    current, feed = parts.current, _find(connection_id, account)
    body = parsed(ReleaseBody, router.body or "{}")
    operations = releasing.release_feed(current.store, current.queues, current.clock(), current.new_id, feed, body.set_aside)
    return ok({"results": [push_operation_json(operation) for operation in operations]})


@router.post("/feeds/<connection_id>/<account>/statements/<number>/resolve")
def resolve_statement(connection_id: str, account: str, number: str) -> Response[str]:
    """Records what an operator knows of a statement that Xero never completes. Answers the feed."""
    current, feed = parts.current, _find(connection_id, account)
    if not re.fullmatch("[0-9]{1,12}", number):
        raise NotFound("statement", number)
    outcome = parsed(ResolveBody, router.body or "{}").outcome
    if outcome not in list(Outcome):
        raise Invalid.field("outcome", f"must be {' or '.join(Outcome)}", "Enum")
    resolved = resolving.resolve(
        current.store, current.queues, current.clock(), current.new_id, feed.id, int(number), Outcome(outcome)
    )
    return ok(_views([resolved])[0])


def _find(connection_id: str, account: str) -> Feed:
    id = feed_id(connection_id, account_id_in(account))
    feed = ledger.find_feed(parts.current.store, id)
    if feed is None:
        raise NotFound("feed", id)
    return feed


def _select(filters: dict[str, str]) -> Iterable[Feed]:
    store = parts.current.store
    if "connectionId" in filters:
        feeds: Iterable[Feed] = ledger.feeds_of_connection(store, filters["connectionId"])
    elif "companyId" in filters:
        connections = store.connections(filters["companyId"])
        feeds = [feed for connection in connections for feed in ledger.feeds_of_connection(store, connection.id)]
    else:
        feeds = ledger.all_feeds(store)
    company_id = filters.get("companyId")
    return [feed for feed in feeds if company_id in (None, feed.company_id)]


def _views(feeds: Iterable[Feed]) -> list[dict[str, Any]]:
    """Counts the lines waiting behind a hold once, however many of the feeds it stops."""
    store, counts, views = parts.current.store, dict[str, Counted](), []
    for feed in feeds:
        hold = next(iter(store.holds_on(feed.holdable)), None)
        if hold is not None and hold.id not in counts:
            counts[hold.id] = holding.counted(store, hold)
        waiting = counts[hold.id] if hold else None
        views.append(feed_json(feed, ledger.last_statement(store, feed), hold, waiting))
    return views
