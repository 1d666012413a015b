"""One webhook consumer in the portal: its deliveries and replays, and the operator's actions on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote

from feedlane.doors import place_in
from feedlane.errors import Conflict, Invalid
from feedlane.events.event import ALL_TYPES
from feedlane.store.table import ConditionFailed
from feedlane.web.form_errors import FormError, Words, form_errors, whole_form
from feedlane.web.portal.listing import PAGE_SIZE, ListQuery, list_query
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site
from feedlane.webhooks import consumers, replayer
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.attempt_counts import attempt_counts
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import NOT_ARRIVED, Delivery, DeliveryState
from feedlane.webhooks.replay import Selection
from feedlane.webhooks.shapes import moment_in

REPLAYS_SHOWN_MAX = 25
_DONE_MESSAGES = {
    "tested": "A test is on its way. It appears below.",
    "enabled": "Enabled. Waiting events are being sent in order.",
    "disabled": "Disabled. Its events are kept until it is enabled.",
    "saved": "Saved.",
    "replaying": "The replay has started. It sends the events one at a time, in order.",
    "again": "The event is being sent again.",
}
_WORDS = Words(
    {"since": ("since", "Events since"), "until": ("until", "Until")},
    {
        ("since", "DateTime"): "Enter the date and time from which events are sent again.",
        ("since", "Order"): "Events since must not be in the future.",
    },
)
_FILTER_WORDS = Words(
    {"since": ("since", "From"), "until": ("until", "Until")},
    {("since", "DateTime"): "From must be a date and time.", ("until", "DateTime"): "Until must be a date and time."},
)
_CHANGED_BY_OTHER = "Someone else has just changed this. Please review it and try again."
_FAILED = "failed"
_STATES = ((_FAILED, "Undelivered"), *((state.value, state.value) for state in DeliveryState))


def show(
    site: Site, request: Request, consumer_id: str, errors: Sequence[FormError] = (), status: int = 200
) -> Response:
    """The tab of its deliveries. What is searched for by an event's id leads to its page."""
    operator = require_operator(site, request)
    consumer = webhook_items.consumer(site.store, consumer_id)
    query = list_query(request, "q", "state", "type", "company", "since", "until")
    if query["q"] and _delivery(site, consumer, query["q"]):
        return see_other(request.url(delivery_path(consumer.id, query["q"])))
    tested = request.query.get("event", "")
    deliveries, cursor, filter_errors = ([], "", []) if query["q"] else _deliveries(site, consumer, query)
    if tested and all(delivery.event_id != tested for delivery in deliveries):
        # The list is slightly behind the table.
        deliveries = [*_delivery(site, consumer, tested), *deliveries]
    return portal_page(
        site,
        operator,
        "webhooks/webhook",
        status,
        title="Webhook",
        section="webhooks",
        tab="deliveries",
        consumer=consumer,
        counts=attempt_counts(site.store, [consumer.id], site.clock())[consumer.id],
        deliveries=deliveries,
        next_url=query.url(after=cursor) if cursor else "",
        query=query,
        states=_STATES,
        types=ALL_TYPES,
        done=_DONE_MESSAGES.get(request.query.get("done", ""), ""),
        errors=[*errors, *filter_errors],
    )


def show_replays(
    site: Site, request: Request, consumer_id: str, errors: Sequence[FormError] = (), status: int = 200
) -> Response:
    operator = require_operator(site, request)
    consumer = webhook_items.consumer(site.store, consumer_id)
    replays = sorted(webhook_items.replays_of(site.store, consumer.id), key=lambda replay: replay.started, reverse=True)
    return portal_page(
        site,
        operator,
        "webhooks/webhook_replay",
        status,
        title="Replay",
        section="webhooks",
        tab="replays",
        consumer=consumer,
        replays=replays[:REPLAYS_SHOWN_MAX],
        since=request.field("since"),
        done=_DONE_MESSAGES.get(request.query.get("done", ""), ""),
        errors=errors,
    )


def delivery_path(consumer_id: str, event_id: str) -> str:
    return f"/portal/webhooks/{quote(consumer_id, safe='')}/deliveries/{quote(event_id, safe='')}"


def send_test(site: Site, request: Request, consumer_id: str) -> Response:
    sent: list[Delivery] = []
    answer = perform(
        site,
        request,
        consumer_id,
        lambda: sent.append(consumers.send_test(site.ports, site.clock(), consumer_id)),
        f"/portal/webhooks/{consumer_id}?done=tested",
    )
    return see_other(f"{answer.headers['Location']}&event={sent[0].event_id}") if sent else answer


def enable(site: Site, request: Request, consumer_id: str) -> Response:
    def run() -> None:
        consumers.enable(site.ports, site.clock(), consumer_id)

    return perform(site, request, consumer_id, run, f"/portal/webhooks/{consumer_id}?done=enabled")


def disable(site: Site, request: Request, consumer_id: str) -> Response:
    def run() -> None:
        consumers.disable(site.store, consumer_id)

    return perform(site, request, consumer_id, run, f"/portal/webhooks/{consumer_id}?done=disabled")


def replay(site: Site, request: Request, consumer_id: str) -> Response:
    """Times without an offset are UTC, as the page says."""

    def run() -> None:
        selection = Selection.ALL if request.field("which") == Selection.ALL else Selection.FAILED
        since = moment_in("since", request.field("since"))
        replayer.start(site.ports, site.clock(), consumer_id, selection, since)

    path = f"/portal/webhooks/{consumer_id}/replays?done=replaying"
    return perform(site, request, consumer_id, run, path, show_replays)


def perform(
    site: Site,
    request: Request,
    consumer_id: str,
    action: Callable[[], object],
    path: str,
    shown: Callable[..., Response] = show,
) -> Response:
    """Runs the action for an operator's form only, and goes on to `path`. Errors are shown on the page of the form."""
    require_operator(site, request)
    try:
        action()
    except Invalid as error:
        return shown(site, request, consumer_id, form_errors(error, _WORDS), 422)
    except Conflict as error:
        return shown(site, request, consumer_id, whole_form(str(error)), 409)
    except ConditionFailed:
        return shown(site, request, consumer_id, whole_form(_CHANGED_BY_OTHER), 409)
    return see_other(request.url(path))


def _delivery(site: Site, consumer: Consumer, event_id: str) -> list[Delivery]:
    found = webhook_items.find_attempt_inputs(site.store, consumer.id, place_in("event", event_id)).delivery
    return [found] if found else []


def _deliveries(site: Site, consumer: Consumer, query: ListQuery) -> tuple[list[Delivery], str, list[FormError]]:
    """A page of those that the filter wants, the place where it ends, and what is wrong with the filter."""
    try:
        since, until = _moment("since", query), _moment("until", query)
    except Invalid as error:
        return [], "", form_errors(error, _FILTER_WORDS)
    deliveries, cursor = webhook_items.newest_deliveries(
        site.store, consumer.id, since, until, query.after, PAGE_SIZE, lambda delivery: _is_wanted(delivery, query)
    )
    return deliveries, cursor, []


def _moment(name: str, query: ListQuery) -> datetime | None:
    return moment_in(name, query[name]) if query[name] else None


def _is_wanted(delivery: Delivery, query: ListQuery) -> bool:
    state = query["state"]
    is_in_state = delivery.state in NOT_ARRIVED if state == _FAILED else state in ("", delivery.state.value)
    is_of_company = query["company"] in ("", delivery.company_id)
    return is_in_state and is_of_company and query["type"] in ("", delivery.event_type)
