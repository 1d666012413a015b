"""One webhook consumer in the portal: its deliveries and replays, and the operator's actions on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from feedlane.doors import place_in
from feedlane.errors import Conflict, Invalid
from feedlane.store.table import ConditionFailed
from feedlane.web.form_errors import FormError, Words, form_errors, whole_form
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site
from feedlane.webhooks import consumers, replayer
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.delivery import NOT_ARRIVED, DeliveryState
from feedlane.webhooks.replay import Selection
from feedlane.webhooks.shapes import moment_in

DELIVERIES_PER_PAGE = 20
REPLAYS_SHOWN_MAX = 5
_DONE_MESSAGES = {
    "tested": "A test is on its way. Reload this page in a moment to see the result.",
    "enabled": "Enabled. Waiting events are being sent in order.",
    "disabled": "Disabled. Its events are kept until it is enabled.",
    "replaying": "The replay has started. It sends the events one at a time, in order.",
    "again": "The event is being sent again.",
}
_WORDS = Words(
    {"since": ("since", "Events since")},
    {
        ("since", "DateTime"): "Enter the date and time from which events are sent again.",
        ("since", "Order"): "Events since must not be in the future.",
    },
)
_CHANGED_BY_OTHER = "Someone else has just changed this. Please review it and try again."


def show(
    site: Site, request: Request, consumer_id: str, errors: Sequence[FormError] = (), status: int = 200
) -> Response:
    operator = require_operator(site, request)
    consumer = webhook_items.consumer(site.store, consumer_id)
    only_failed, after = request.query.get("show") == "failed", request.query.get("after", "")
    states = NOT_ARRIVED if only_failed else frozenset(DeliveryState)
    deliveries, cursor = webhook_items.newest_deliveries(
        site.store, consumer.id, None, None, place_in("after", after) if after else "", DELIVERIES_PER_PAGE,
        lambda delivery: delivery.state in states,
    )  # fmt: skip
    replays = sorted(webhook_items.replays_of(site.store, consumer.id), key=lambda replay: replay.started, reverse=True)
    return portal_page(
        site,
        operator,
        "portal_webhook",
        status,
        title="Webhook",
        section="webhooks",
        consumer=consumer,
        deliveries=deliveries,
        next_cursor=cursor,
        only_failed=only_failed,
        replays=replays[:REPLAYS_SHOWN_MAX],
        since=request.field("since"),
        done=_DONE_MESSAGES.get(request.query.get("done", ""), ""),
        errors=errors,
    )


def send_test(site: Site, request: Request, consumer_id: str) -> Response:
    def run() -> None:
        consumers.send_test(site.ports, site.clock(), consumer_id)

    return _perform(site, request, consumer_id, "tested", run)


def enable(site: Site, request: Request, consumer_id: str) -> Response:
    def run() -> None:
        consumers.enable(site.ports, site.clock(), consumer_id)

    return _perform(site, request, consumer_id, "enabled", run)


def disable(site: Site, request: Request, consumer_id: str) -> Response:
    return _perform(site, request, consumer_id, "disabled", lambda: consumers.disable(site.store, consumer_id))


def replay(site: Site, request: Request, consumer_id: str) -> Response:
    """Times without an offset are UTC, as the page says."""

    def run() -> None:
        selection = Selection.ALL if request.field("which") == Selection.ALL else Selection.FAILED
        since = moment_in("since", request.field("since"))
        replayer.start(site.ports, site.clock(), consumer_id, selection, since)

    return _perform(site, request, consumer_id, "replaying", run)


def send_again(site: Site, request: Request, consumer_id: str, event_id: str) -> Response:
    def run() -> None:
        replayer.replay_one(site.ports, site.clock(), consumer_id, event_id)

    return _perform(site, request, consumer_id, "again", run)


def _perform(site: Site, request: Request, consumer_id: str, done: str, action: Callable[[], object]) -> Response:
    """Runs the action for an operator's form only. Errors are shown on the same page."""
    require_operator(site, request)
    try:
        action()
    except Invalid as error:
        return show(site, request, consumer_id, form_errors(error, _WORDS), 422)
    except Conflict as error:
        return show(site, request, consumer_id, whole_form(str(error)), 409)
    except ConditionFailed:
        return show(site, request, consumer_id, whole_form(_CHANGED_BY_OTHER), 409)
    return see_other(request.url(f"/portal/webhooks/{consumer_id}?done={done}"))
