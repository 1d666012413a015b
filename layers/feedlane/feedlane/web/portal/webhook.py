"""One webhook consumer in the portal: its deliveries and replays, and what an operator does about them."""

from __future__ import annotations

from collections.abc import Callable

from feedlane.errors import Conflict, Invalid
from feedlane.store.table import ConditionFailed
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.webhooks import NAMES
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.sentences import error_sentences
from feedlane.web.site import Site
from feedlane.webhooks import consumers, replayer
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.delivery import NOT_ARRIVED, DeliveryState
from feedlane.webhooks.replay import Selection
from feedlane.webhooks.shapes import moment_in

DELIVERIES_PER_PAGE = 20
REPLAYS_SHOWN_MAX = 5
_DONE_MESSAGES = {
    "tested": "A test is on its way. Load this page again in a moment to see how it went.",
    "enabled": "Enabled. What waited is being sent, in the order of the events.",
    "disabled": "Disabled. Its events are kept until it is enabled.",
    "replaying": "The replay has started. It sends one webhook after the other, in the order of the events.",
    "again": "It is on its way again.",
}
_CHANGED_MEANWHILE = "Somebody else changed this at the same moment. Please look at it again."


def show(
    site: Site, request: Request, consumer_id: str, errors: list[str] | None = None, status: int = 200
) -> Response:
    own = require_operator(site, request)
    consumer = webhook_items.consumer(site.store, consumer_id)
    only_failed = request.query.get("show") == "failed"
    states = NOT_ARRIVED if only_failed else frozenset(DeliveryState)
    found, place = webhook_items.newest_deliveries(
        site.store, consumer.id, None, None, _cursor_in(request.query.get("after", "")), DELIVERIES_PER_PAGE,
        lambda delivery: delivery.state in states,
    )  # fmt: skip
    ran = sorted(webhook_items.replays_of(site.store, consumer.id), key=lambda replay: replay.started, reverse=True)
    return portal_page(
        site,
        own,
        "portal_webhook",
        status,
        title="Webhook",
        section="webhooks",
        consumer=consumer,
        deliveries=found,
        next=place,
        only_failed=only_failed,
        replays=ran[:REPLAYS_SHOWN_MAX],
        since=request.field("since"),
        done=_DONE_MESSAGES.get(request.query.get("done", ""), ""),
        errors=errors or [],
    )


def send_test(site: Site, request: Request, consumer_id: str) -> Response:
    def send() -> None:
        consumers.send_test(site.ports, site.clock(), consumer_id)

    return _perform(site, request, consumer_id, "tested", send)


def enable(site: Site, request: Request, consumer_id: str) -> Response:
    def enable() -> None:
        consumers.enable(site.ports, site.clock(), consumer_id)

    return _perform(site, request, consumer_id, "enabled", enable)


def disable(site: Site, request: Request, consumer_id: str) -> Response:
    return _perform(site, request, consumer_id, "disabled", lambda: consumers.disable(site.store, consumer_id))


def replay(site: Site, request: Request, consumer_id: str) -> Response:
    """Times without an offset are UTC, as the page says."""

    def start() -> None:
        which = Selection.ALL if request.field("which") == Selection.ALL else Selection.FAILED
        since = moment_in("since", request.field("since"))
        replayer.start(site.ports, site.clock(), consumer_id, which, since)

    return _perform(site, request, consumer_id, "replaying", start)


def send_again(site: Site, request: Request, consumer_id: str, event_id: str) -> Response:
    def send() -> None:
        replayer.replay_one(site.ports, site.clock(), consumer_id, event_id)

    return _perform(site, request, consumer_id, "again", send)


def _perform(site: Site, request: Request, consumer_id: str, done: str, act: Callable[[], object]) -> Response:
    """Only an operator's form gets as far as the act. What is wrong is said on the same page."""
    require_operator(site, request)
    try:
        act()
    except Invalid as error:
        return show(site, request, consumer_id, error_sentences(error, NAMES), 422)
    except Conflict as error:
        return show(site, request, consumer_id, [str(error)], 409)
    except ConditionFailed:
        return show(site, request, consumer_id, [_CHANGED_MEANWHILE], 409)
    return see_other(request.url(f"/portal/webhooks/{consumer_id}?done={done}"))


def _cursor_in(text: str) -> str:
    """A place in the list as our own link has it; anything else is the beginning."""
    return text if len(text) <= 100 and text.isascii() and text.isprintable() else ""
