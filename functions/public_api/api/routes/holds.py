"""Holds: why nothing may be sent, and their release. A Feedlane extension."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.answers import ok
from api.parts import current_parts
from api.requests import Routes
from feedlane.codat.bodies import ReleaseBody, parse_body
from feedlane.codat.paging import cursor_in, cursor_page, page_size
from feedlane.holds import items as hold_items
from feedlane.holds import release as hold_release
from feedlane.holds.held_feeds import count_waiting
from feedlane.holds.shapes import hold_json
from feedlane.pushes.shapes import push_operation_json

router = Routes()


@router.get("/holds")
def list_holds() -> Response[str]:
    """In the order of their ids. `_links.next` leads to the next page."""
    store, query = current_parts().store, router.parameters
    size, after = page_size(query), cursor_in(query.get("after", ""))
    holds = hold_items.holds(store, after, size)
    results = ((hold.id, hold_json(hold, count_waiting(store, hold))) for hold in holds)
    return ok(cursor_page("/holds", query, results, holds[-1].id if len(holds) == size else ""))


@router.post("/holds/<hold_id>/release")
def release_hold(hold_id: str) -> Response[str]:
    """Answers the push operations that send the waiting lines. The body may name transactions to set aside."""
    parts = current_parts()
    body = parse_body(ReleaseBody, router.body or "{}")
    hold = hold_items.hold_by_id(parts.store, hold_id)
    operations = hold_release.release(parts.ports, parts.clock(), hold, body.set_aside, by="the API")
    return ok({"results": [push_operation_json(operation) for operation in operations]})
