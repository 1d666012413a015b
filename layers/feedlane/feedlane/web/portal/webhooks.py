"""The portal's list of webhook consumers, and the form that creates one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from feedlane.errors import Invalid, Unavailable
from feedlane.events.event import ALL_TYPES, TEST
from feedlane.web.form_errors import FormError, Words, form_errors, whole_form
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site
from feedlane.webhooks import consumers as webhook_consumers
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import CONSUMERS_MAX, Consumer
from feedlane.webhooks.delivery import Delivery

_WORDS = Words(
    {
        "url": ("url", "URL"),
        "eventTypes": ("event_types", "Events"),
        "companyTags": ("company_tags", "Company tags"),
        "webhooks": ("", "Webhooks"),
    },
    {
        ("url", "Https"): "Enter a URL that begins with https://.",
        ("companyTags", "Tag"): "Company tags must each be a name and a value, such as region:uk.",
        ("webhooks", "MaximumCount"): f"There are already {CONSUMERS_MAX} consumers. Delete one first.",
    },
)
_EMPTY_FORM: dict[str, Any] = {"url": "", "event_types": (), "company_tags": ""}
_VAULT_UNAVAILABLE = (
    "The signing secret could not be created, so the webhook was not added. Please try again in a minute."
)


@dataclass(frozen=True)
class ConsumerRow:
    consumer: Consumer
    last_delivery: Delivery | None


def show(site: Site, request: Request) -> Response:
    return _page(site, require_operator(site, request), _entered(request) if request.form else _EMPTY_FORM)


def create(site: Site, request: Request) -> Response:
    """Only this response shows the secret; no later page does."""
    operator = require_operator(site, request)
    entered = _entered(request)
    try:
        consumer, secret = webhook_consumers.create(
            site.ports, site.vault, site.webhook_targets, site.clock(), entered["url"], entered["event_types"],
            entered["company_tags"].split(), disabled=False,
        )  # fmt: skip
    except Invalid as error:
        return _page(site, operator, entered, errors=form_errors(error, _WORDS), status=422)
    except Unavailable:
        return _page(site, operator, entered, errors=whole_form(_VAULT_UNAVAILABLE), status=503)
    return portal_page(
        site,
        operator,
        "portal_webhook_created",
        201,
        title="Webhook created",
        section="webhooks",
        consumer=consumer,
        secret=secret,
    )


def _entered(request: Request) -> dict[str, Any]:
    return {
        "url": request.field("url"),
        "event_types": tuple(request.form.get("event_types") or ()),
        "company_tags": request.field("company_tags"),
    }


def _page(
    site: Site, operator: Operator, entered: dict[str, Any], errors: Sequence[FormError] = (), status: int = 200
) -> Response:
    consumers = sorted(webhook_items.consumers(site.store), key=lambda consumer: consumer.created)
    return portal_page(
        site,
        operator,
        "portal_webhooks",
        status,
        title="Webhooks",
        section="webhooks",
        rows=[ConsumerRow(consumer, _last_delivery(site, consumer)) for consumer in consumers],
        is_full=len(consumers) >= CONSUMERS_MAX,
        consumers_max=CONSUMERS_MAX,
        types=[type for type in ALL_TYPES if type != TEST],
        entered=entered,
        errors=errors,
    )


def _last_delivery(site: Site, consumer: Consumer) -> Delivery | None:
    """The newest delivery. Its state may be a moment old: the index lags behind the table."""
    newest = webhook_items.delivery_page(site.store, consumer.id, None, None, "", 1, newest_first=True)
    return newest[0][1] if newest else None
