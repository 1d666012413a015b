"""Feeds and their progress. A Feedlane extension."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response

from api.answers import ok
from api.parts import current_parts
from api.paths import account_id_in
from api.requests import Routes
from feedlane.codat.bodies import FeedChanges, ReleaseBody, ResolveBody, SetAsideBody, parse_body
from feedlane.codat.paging import cursor_in, cursor_page, page_size
from feedlane.codat.query import query_predicate
from feedlane.companies import items as company_items
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.feeds import hole_items, set_aside_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, SetAside
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds import setting_aside
from feedlane.holds.held_feeds import WaitingCount, count_waiting
from feedlane.ids import feed_id
from feedlane.pushes import holes as pushes_holes
from feedlane.pushes.shapes import hole_json, push_operation_json
from feedlane.scope import Scope
from feedlane.statements import items as statement_items
from feedlane.statements import resolution
from feedlane.statements.resolution import Resolution
from feedlane.statements.shapes import FEED_FIELDS, feed_json, set_aside_json
from feedlane.store.attempts import attempts

# A filter of which few feeds are wanted reads so many for a page.
FEEDS_READ_MAX = 2_000

router = Routes()


@router.get("/feeds")
def list_feeds() -> Response[str]:
    """All feeds, or those of `companyId` or `connectionId`, in the order of their ids.

    `_links.next` leads to the next page; a page may be shorter than its size.
    """
    query = router.parameters
    size, after = page_size(query), cursor_in(query.get("after", ""))
    is_wanted = query_predicate(query.get("query", ""), FEED_FIELDS, "Feed")
    feeds: list[Feed] = []
    for _ in range(FEEDS_READ_MAX // size):
        ids = _feed_ids(query, after, size)
        feeds += [feed for feed in feed_items.find_feeds(current_parts().store, ids) if is_wanted(feed_json(feed))]
        after = ids[-1] if len(ids) == size else ""
        if len(feeds) > size:
            after = feeds[size - 1].id
        if not after or len(feeds) >= size:
            break
    results = zip((feed.id for feed in feeds[:size]), _views(feeds[:size]), strict=True)
    return ok(cursor_page("/feeds", query, results, after))


@router.get("/setAside/<connection_id>/<account>")
def list_set_aside(connection_id: str, account: str) -> Response[str]:
    """The transactions of a feed that are never sent, because a release set them aside."""
    query, feed = router.parameters, _find_feed(connection_id, account)
    size, after = page_size(query), cursor_in(query.get("after", ""))
    try:
        lines = set_aside_items.set_aside_page(current_parts().store, feed.id, after, size)
    except ValueError:
        raise Invalid.field("after", "must be the value in a page's next link", "Cursor") from None
    results = ((place, set_aside_json(line)) for place, line in lines)
    return ok(cursor_page(f"/setAside/{connection_id}/{account}", query, results, _end(lines, size)))


@router.post("/setAside/<connection_id>/<account>")
def set_aside(connection_id: str, account: str) -> Response[str]:
    """Sets transactions of a held feed aside without releasing it. Answers the feed."""
    parts, feed = current_parts(), _find_feed(connection_id, account)
    body = parse_body(SetAsideBody, router.body or "{}")
    return ok(_views([setting_aside.set_aside(parts.ports, parts.clock(), feed.id, body.set_aside)])[0])


@router.get("/holes/<connection_id>/<account>")
def list_holes(connection_id: str, account: str) -> Response[str]:
    """The refused pushes of a feed whose transactions are missing, the oldest first."""
    query, feed = router.parameters, _find_feed(connection_id, account)
    size, after = page_size(query), cursor_in(query.get("after", ""))
    holes = hole_items.holes(current_parts().store, feed.id, size, after)
    results = ((place, hole_json(hole)) for place, hole in holes)
    end = holes[-1][0] if len(holes) == size else ""
    return ok(cursor_page(f"/holes/{connection_id}/{account}", query, results, end))


@router.post("/holes/<connection_id>/<account>/<push_operation_key>/close")
def close_hole(connection_id: str, account: str, push_operation_key: str) -> Response[str]:
    """Gives up what is missing of a refused push. Answers the feed."""
    feed = _find_feed(connection_id, account)
    return ok(_views([pushes_holes.give_up(current_parts().ports, feed.id, push_operation_key)])[0])


@router.patch("/feeds/<connection_id>/<account>")
def change_feed(connection_id: str, account: str) -> Response[str]:
    """Changes how the feed's statements get their balances, from the next statement on. Answers the feed."""
    parts, feed = current_parts(), _find_feed(connection_id, account)
    changes = parse_body(FeedChanges, router.body or "{}").model_dump(exclude_unset=True)
    changing = Conflict("The feed is changing right now; try again.")
    for attempt in attempts(f"feed {feed.id}", otherwise=changing):
        feed = _find_feed(connection_id, account).but(**changes)
        with attempt:
            parts.store.commit(feed_items.put_feed(feed))
    return ok(_views([feed])[0])


@router.get("/feeds/<connection_id>/<account>")
def get_feed(connection_id: str, account: str) -> Response[str]:
    return ok(_views([_find_feed(connection_id, account)])[0])


@router.post("/feeds/<connection_id>/<account>/release")
def release_feed(connection_id: str, account: str) -> Response[str]:
    """Releases every hold that stops the feed, including those on its tenant and on the app."""
    parts = current_parts()
    feed = _find_feed(connection_id, account)
    body = parse_body(ReleaseBody, router.body or "{}")
    operations = hold_release.release_feed(parts.ports, parts.clock(), feed, body.set_aside, by="the API")
    return ok({"results": [push_operation_json(operation) for operation in operations]})


@router.post("/feeds/<connection_id>/<account>/statements/<number>/resolve")
def resolve_statement(connection_id: str, account: str, number: str) -> Response[str]:
    """Records what an operator knows about a statement that Xero never completes. Answers the feed."""
    parts = current_parts()
    feed = _find_feed(connection_id, account)
    if not re.fullmatch("[0-9]{1,12}", number):
        raise NotFound("statement", number)
    body = parse_body(ResolveBody, router.body or "{}")
    outcome = body.outcome
    if outcome not in list(Resolution):
        raise Invalid.field("outcome", f"must be {' or '.join(Resolution)}", "Enum")
    resolved = resolution.resolve(parts.ports, parts.clock(), feed.id, int(number), Resolution(outcome), body.set_aside)
    return ok(_views([resolved])[0])


def _find_feed(connection_id: str, account: str) -> Feed:
    id = feed_id(connection_id, account_id_in(account))
    feed = feed_items.find_feed(current_parts().store, id)
    if feed is None:
        raise NotFound("feed", id)
    return feed


def _feed_ids(query: dict[str, str], after: str, size: int) -> list[str]:
    """The ids that the feeds of the next source accounts have, or would have."""
    store, company_id, connection_id = current_parts().store, query.get("companyId"), query.get("connectionId")
    if not company_id and not connection_id:
        return company_items.account_feed_ids(store, after, size)
    connection_ids = [connection_id] if connection_id else []
    if company_id:
        of_company = [connection.id for connection in company_items.connections(store, company_id)]
        connection_ids = [id for id in of_company if connection_id in (None, "", id)]
    ids = [feed_id(id, account.id) for id in connection_ids for account in company_items.source_accounts(store, id)]
    return [id for id in sorted(ids) if id > after][:size]


def _end(lines: Sequence[tuple[str, SetAside]], size: int) -> str:
    return lines[-1][0] if len(lines) == size else ""


def _views(feeds: Sequence[Feed]) -> list[dict[str, Any]]:
    """The holds and statements of all feeds are read together, and what waits behind a hold is counted once."""
    store = current_parts().store
    subjects = dict.fromkeys(subject for feed in feeds for subject in feed.hold_subjects)
    holds = {(hold.scope, hold.subject): hold for hold in hold_items.holds_on(store, subjects)}
    last_statements = statement_items.last_statements(store, feeds)
    counts: dict[str, WaitingCount] = {}
    views = []
    for feed in feeds:
        hold = next((holds[subject] for subject in feed.hold_subjects if subject in holds), None)
        if hold is not None and hold.id not in counts:
            own = hold.scope is Scope.FEED
            counts[hold.id] = WaitingCount(feed.waiting, True) if own else count_waiting(store, hold)
        waiting = counts[hold.id] if hold else None
        views.append(feed_json(feed, last_statements.get(feed.id), hold, waiting))
    return views
