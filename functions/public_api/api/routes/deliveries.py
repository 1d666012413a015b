"""Deliveries of a webhook consumer, and their replay. Feedlane's own."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.requests import Routes
from feedlane.codat.bodies import ReplayBody, parse_body
from feedlane.codat.paging import cursor_in, cursor_page, page_size
from feedlane.companies import items as company_items
from feedlane.errors import Invalid, NotFound
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks import replayer
from feedlane.webhooks.replay import Selection
from feedlane.webhooks.shapes import LISTED_EXCERPT_LENGTH_MAX, delivery_json, moment_in, replay_json, states_in

ASKED = {which.value: which for which in (Selection.FAILED, Selection.ALL)}

router = Routes()


@router.get("/webhooks/<webhook_id>/deliveries")
def list_deliveries(webhook_id: str) -> Response[str]:
    """Newest first. `_links.next` leads on from where the page ended, which may be short of its size."""
    given, own = router.parameters, parts.current
    webhook_items.consumer(own.store, webhook_id)
    size, after = page_size(given), cursor_in(given.get("after", ""))
    since, until = (moment_in(name, given[name]) if given.get(name) else None for name in ("since", "until"))
    states, company = states_in(given.get("status", "")), given.get("companyId")
    found, place = webhook_items.newest_deliveries(
        own.store, webhook_id, since, until, after, size,
        lambda one: one.state in states and company in (None, "", one.company_id),
    )  # fmt: skip
    results = [delivery_json(one, LISTED_EXCERPT_LENGTH_MAX) for one in found]
    return ok(cursor_page(f"/webhooks/{webhook_id}/deliveries", given, results, place))


@router.get("/webhooks/<webhook_id>/deliveries/<event_id>")
def get_delivery(webhook_id: str, event_id: str) -> Response[str]:
    found = webhook_items.find_attempt_inputs(parts.current.store, webhook_id, event_id).delivery
    if found is None:
        raise NotFound("delivery", event_id)
    return ok(delivery_json(found))


@router.post("/webhooks/<webhook_id>/deliveries/<event_id>/replay")
def replay_delivery(webhook_id: str, event_id: str) -> Response[str]:
    """202: it is on its way again, under the same `webhook-id`."""
    own = parts.current
    return ok(delivery_json(replayer.replay_one(own.ports, own.clock(), webhook_id, event_id)), 202)


@router.post("/webhooks/<webhook_id>/replays")
def start_replay(webhook_id: str) -> Response[str]:
    """202: it goes on by itself, in the order of the events."""
    own, given = parts.current, parse_body(ReplayBody, router.body)
    if given.which not in ASKED:
        raise Invalid.field("which", f"must be one of {', '.join(ASKED)}", "Enum")
    since = moment_in("since", given.since)
    until = moment_in("until", given.until) if given.until else None
    company = given.company_id or None
    if company:
        company_items.company(own.store, company)
    replay = replayer.start(own.ports,
        own.clock(), webhook_id, ASKED[given.which], since, until, company
    )  # fmt: skip
    return ok(replay_json(replay), 202)


@router.get("/webhooks/<webhook_id>/replays")
def list_replays(webhook_id: str) -> Response[str]:
    """Newest first, of the last thirty days."""
    store = parts.current.store
    webhook_items.consumer(store, webhook_id)
    found = sorted(webhook_items.replays_of(store, webhook_id), key=lambda replay: replay.started, reverse=True)
    return ok({"results": [replay_json(replay) for replay in found]})


@router.get("/webhooks/<webhook_id>/replays/<replay_id>")
def get_replay(webhook_id: str, replay_id: str) -> Response[str]:
    found = webhook_items.find_replay(parts.current.store, webhook_id, replay_id)
    if found is None:
        raise NotFound("replay", replay_id)
    return ok(replay_json(found))
