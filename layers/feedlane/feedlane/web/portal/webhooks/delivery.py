"""A delivery's page in the portal: what is sent, and how each attempt went."""

from __future__ import annotations

import shlex

from feedlane.companies import items as company_items
from feedlane.errors import NotFound
from feedlane.events.envelope import envelope, webhook_body
from feedlane.web.portal.laid_out import laid_out
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.webhooks.webhook import delivery_path, perform
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks import replayer
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import Delivery
from feedlane.webhooks.sender import OWN_HEADERS

_HIDDEN = "••••••"


def show(site: Site, request: Request, consumer_id: str, event_id: str) -> Response:
    operator = require_operator(site, request)
    inputs = webhook_items.find_attempt_inputs(site.store, consumer_id, event_id)
    consumer, delivery = inputs.consumer, inputs.delivery
    if consumer is None or delivery is None:
        raise NotFound("delivery", event_id)
    event = webhook_items.find_event(site.store, delivery)
    return portal_page(
        site,
        operator,
        "webhooks/delivery",
        title="Delivery",
        section="webhooks",
        tab="deliveries",
        consumer=consumer,
        delivery=delivery,
        company=company_items.find_company(site.store, delivery.company_id) if delivery.company_id else None,
        payload=laid_out(envelope(event)) if event else "",
        headers=_headers(consumer, delivery),
        curl=_curl(consumer, delivery, webhook_body(event).decode()) if event else "",
        done="The event is being sent again." if request.query.get("done") == "again" else "",
    )


def send_again(site: Site, request: Request, consumer_id: str, event_id: str) -> Response:
    def run() -> None:
        replayer.replay_one(site.ports, site.clock(), consumer_id, event_id)

    return perform(site, request, consumer_id, run, f"{delivery_path(consumer_id, event_id)}?done=again")


def _headers(consumer: Consumer, delivery: Delivery) -> dict[str, str]:
    """As they are sent. The values of the consumer's own are in the vault, and nobody sees them."""
    signature = {
        "webhook-id": delivery.event_id,
        "webhook-timestamp": "the time of the attempt, in seconds since 1970",
        "webhook-signature": "v1,… made with the signing secret",
    }
    return {**OWN_HEADERS, **dict.fromkeys(consumer.header_names, _HIDDEN), **signature}


def _curl(consumer: Consumer, delivery: Delivery, body: str) -> str:
    """The same request without a signature, for a consumer that is being built."""
    headers = {"content-type": OWN_HEADERS["content-type"], "webhook-id": delivery.event_id}
    options = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    return " \\\n  ".join((f"curl {shlex.quote(consumer.url)}", *options, f"--data-raw {shlex.quote(body)}"))
