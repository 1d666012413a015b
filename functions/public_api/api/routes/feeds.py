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
    chosen = {name: parameters[name] for name in ("companyId", "connectionId") if parameters.get(name)}
    found = sorted(_chosen(chosen), key=lambda feed: feed.id)
    if request.asks_nothing:
        return ok(lazy_page(request, "/feeds", found, _shown, chosen))
    return ok(page_of(request, "/feeds", _shown(found), chosen))


@router.get("/feeds/<connection_id>/<account>")
def get_feed(connection_id: str, account: str) -> Response[str]:
    return ok(_shown([_found(connection_id, account)])[0])


@router.post("/feeds/<connection_id>/<account>/release")
def release_feed(connection_id: str, account: str) -> Response[str]:
    """Lifts every hold that stops the feed, the tenant's and the app's included."""
    own, feed = parts.current, _found(connection_id, account)
    given = parsed(ReleaseBody, router.body or "{}")
    started = releasing.release_feed(own.store, own.queues, own.clock(), own.new_id, feed, given.set_aside)
    return ok({"results": [push_operation_json(operation) for operation in started]})


@router.post("/feeds/<connection_id>/<account>/statements/<number>/resolve")
def resolve_statement(connection_id: str, account: str, number: str) -> Response[str]:
    """An operator's word on a statement that Xero never ends. Answers the feed."""
    own, feed = parts.current, _found(connection_id, account)
    if not re.fullmatch("[0-9]{1,12}", number):
        raise NotFound("statement", number)
    said = parsed(ResolveBody, router.body or "{}").outcome
    if said not in list(Outcome):
        raise Invalid.field("outcome", f"must be {' or '.join(Outcome)}", "Enum")
    ports = (own.store, own.queues, own.clock(), own.new_id)
    return ok(_shown([resolving.resolve(*ports, feed.id, int(number), Outcome(said))])[0])


def _found(connection_id: str, account: str) -> Feed:
    id = feed_id(connection_id, account_id_in(account))
    feed = ledger.find_feed(parts.current.store, id)
    if feed is None:
        raise NotFound("feed", id)
    return feed


def _chosen(chosen: dict[str, str]) -> Iterable[Feed]:
    store = parts.current.store
    if "connectionId" in chosen:
        found: Iterable[Feed] = ledger.feeds_of_connection(store, chosen["connectionId"])
    elif "companyId" in chosen:
        connections = store.connections(chosen["companyId"])
        found = [feed for one in connections for feed in ledger.feeds_of_connection(store, one.id)]
    else:
        found = ledger.all_feeds(store)
    company_id = chosen.get("companyId")
    return [feed for feed in found if company_id in (None, feed.company_id)]


def _shown(feeds: Iterable[Feed]) -> list[dict[str, Any]]:
    """What waits behind a hold is counted once, however many of the feeds it stops."""
    store, counted, shown = parts.current.store, dict[str, Counted](), []
    for feed in feeds:
        hold = next(iter(store.holds_on(feed.holdable)), None)
        if hold is not None and hold.id not in counted:
            counted[hold.id] = holding.counted(store, hold)
        behind = counted[hold.id] if hold else None
        shown.append(feed_json(feed, ledger.last_statement(store, feed), hold, behind))
    return shown
