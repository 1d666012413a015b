"""Deliveries of a webhook consumer, and their replay. A Feedlane extension."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from api import parts
from api.answers import ok
from api.requests import Routes
from feedlane import replaying
from feedlane.codat.bodies import ReplayBody, parsed
from feedlane.codat.deliveries import SHORT, delivery_json, moment_in, replay_json, states_in
from feedlane.codat.paging import cursor_in, cursor_page, page_size
from feedlane.errors import Invalid, NotFound
from feedlane.replay import Which
from feedlane.store import deliveries, replays

SELECTIONS = {which.value: which for which in (Which.FAILED, Which.ALL)}

router = Routes()


@router.get("/webhooks/<webhook_id>/deliveries")
def list_deliveries(webhook_id: str) -> Response[str]:
    """Newest first. `_links.next` leads to the next page; a page may be shorter than its size."""
    query, current = router.parameters, parts.current
    current.store.consumer(webhook_id)
    size, after = page_size(query), cursor_in(query.get("after", ""))
    since, until = (moment_in(name, query[name]) if query.get(name) else None for name in ("since", "until"))
    states, company = states_in(query.get("status", "")), query.get("companyId")
    newest, cursor = deliveries.newest(
        current.store, webhook_id, since, until, after, size,
        lambda delivery: delivery.state in states and company in (None, "", delivery.company_id),
    )  # fmt: skip
    results = [delivery_json(delivery, SHORT) for delivery in newest]
    return ok(cursor_page(f"/webhooks/{webhook_id}/deliveries", query, results, cursor))


@router.get("/webhooks/<webhook_id>/deliveries/<event_id>")
def get_delivery(webhook_id: str, event_id: str) -> Response[str]:
    delivery = deliveries.find(parts.current.store, webhook_id, event_id).delivery
    if delivery is None:
        raise NotFound("delivery", event_id)
    return ok(delivery_json(delivery))


@router.post("/webhooks/<webhook_id>/deliveries/<event_id>/replay")
def replay_delivery(webhook_id: str, event_id: str) -> Response[str]:
    """202: the delivery is sent again, with the same `webhook-id`."""
    current = parts.current
    return ok(delivery_json(replaying.replay_one(current.store, current.queues, current.clock(), webhook_id, event_id)), 202)


@router.post("/webhooks/<webhook_id>/replays")
def start_replay(webhook_id: str) -> Response[str]:
    """202: the replay runs by itself, in the order of the events."""
    current, body = parts.current, parsed(ReplayBody, router.body)
    if body.which not in SELECTIONS:
        raise Invalid.field("which", f"must be one of {', '.join(SELECTIONS)}", "Enum")
    since = moment_in("since", body.since)
    until = moment_in("until", body.until) if body.until else None
    company = body.company_id or None
    if company:
        current.store.company(company)
    replay = replaying.start(
        current.store, current.queues, current.clock(), webhook_id, SELECTIONS[body.which], since, until, company
    )  # fmt: skip
    return ok(replay_json(replay), 202)


@router.get("/webhooks/<webhook_id>/replays")
def list_replays(webhook_id: str) -> Response[str]:
    """The replays of the last thirty days, newest first."""
    store = parts.current.store
    store.consumer(webhook_id)
    newest_first = sorted(replays.replays_of(store, webhook_id), key=lambda replay: replay.started, reverse=True)
    return ok({"results": [replay_json(replay) for replay in newest_first]})


@router.get("/webhooks/<webhook_id>/replays/<replay_id>")
def get_replay(webhook_id: str, replay_id: str) -> Response[str]:
    replay = replays.find_replay(parts.current.store, webhook_id, replay_id)
    if replay is None:
        raise NotFound("replay", replay_id)
    return ok(replay_json(replay))
