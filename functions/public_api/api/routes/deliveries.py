"""Deliveries of a webhook consumer, and their replay. A Feedlane extension."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api.answers import ok
from api.parts import current_parts
from api.requests import Routes
from feedlane.codat.bodies import ReplayBody, parse_body
from feedlane.codat.paging import cursor_in, cursor_page, page_size
from feedlane.companies import items as company_items
from feedlane.errors import Invalid, NotFound
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks import replayer
from feedlane.webhooks.delivery import Delivery
from feedlane.webhooks.replay import Selection
from feedlane.webhooks.shapes import LISTED_EXCERPT_LENGTH_MAX, delivery_json, moment_in, replay_json, states_in

SELECTIONS = {selection.value: selection for selection in (Selection.FAILED, Selection.ALL)}
REPLAYS_LISTED_MAX = 100

router = Routes()


@router.get("/webhooks/<webhook_id>/deliveries")
def list_deliveries(webhook_id: str) -> Response[str]:
    """Newest first. `_links.next` leads to the next page; a page may be shorter than its size."""
    query = router.parameters
    parts = current_parts()
    webhook_items.consumer(parts.store, webhook_id)
    size, after = page_size(query), cursor_in(query.get("after", ""))
    since, until = (moment_in(name, query[name]) if query.get(name) else None for name in ("since", "until"))
    states, company_id = states_in(query.get("status", "")), query.get("companyId")

    def is_wanted(delivery: Delivery) -> bool:
        return delivery.state in states and company_id in (None, "", delivery.company_id)

    newest, cursor = webhook_items.newest_deliveries(parts.store, webhook_id, since, until, after, size, is_wanted)
    results = (
        (webhook_items.delivery_place(delivery), delivery_json(delivery, LISTED_EXCERPT_LENGTH_MAX))
        for delivery in newest
    )
    return ok(cursor_page(f"/webhooks/{webhook_id}/deliveries", query, results, cursor))


@router.get("/webhooks/<webhook_id>/deliveries/<event_id>")
def get_delivery(webhook_id: str, event_id: str) -> Response[str]:
    delivery = webhook_items.find_attempt_inputs(current_parts().store, webhook_id, event_id).delivery
    if delivery is None:
        raise NotFound("delivery", event_id)
    return ok(delivery_json(delivery))


@router.post("/webhooks/<webhook_id>/deliveries/<event_id>/replay")
def replay_delivery(webhook_id: str, event_id: str) -> Response[str]:
    """202: the delivery is sent again with the same `webhook-id`."""
    parts = current_parts()
    return ok(delivery_json(replayer.replay_one(parts.ports, parts.clock(), webhook_id, event_id)), 202)


@router.post("/webhooks/<webhook_id>/replays")
def start_replay(webhook_id: str) -> Response[str]:
    """202: the replay runs in the background, in the order of the events."""
    parts = current_parts()
    body = parse_body(ReplayBody, router.body)
    if body.which not in SELECTIONS:
        raise Invalid.field("which", f"must be one of {', '.join(SELECTIONS)}", "Enum")
    since = moment_in("since", body.since)
    until = moment_in("until", body.until) if body.until else None
    company_id = body.company_id or None
    if company_id:
        company_items.company(parts.store, company_id)
    selection = SELECTIONS[body.which]
    replay = replayer.start(parts.ports, parts.clock(), webhook_id, selection, since, until, company_id)
    return ok(replay_json(replay), 202)


@router.get("/webhooks/<webhook_id>/replays")
def list_replays(webhook_id: str) -> Response[str]:
    """The newest replays of the last 30 days, newest first."""
    store = current_parts().store
    webhook_items.consumer(store, webhook_id)
    newest_first = sorted(webhook_items.replays_of(store, webhook_id), key=lambda replay: replay.started, reverse=True)
    return ok({"results": [replay_json(replay) for replay in newest_first[:REPLAYS_LISTED_MAX]]})


@router.get("/webhooks/<webhook_id>/replays/<replay_id>")
def get_replay(webhook_id: str, replay_id: str) -> Response[str]:
    replay = webhook_items.find_replay(current_parts().store, webhook_id, replay_id)
    if replay is None:
        raise NotFound("replay", replay_id)
    return ok(replay_json(replay))
