"""The portal's list of webhook consumers, and the form that makes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feedlane import consumers
from feedlane.consumer import MOST_CONSUMERS, Consumer
from feedlane.delivery import Delivery
from feedlane.errors import Invalid, Unavailable
from feedlane.event import ALL_TYPES, TEST
from feedlane.store import deliveries
from feedlane.web.portal_session import Operator, operator, portal_page
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.sentences import sentences
from feedlane.web.site import Site

NAMES = {"url": "URL", "eventTypes": "Events", "companyTags": "Company tags", "webhooks": "Webhooks"}
_NOTHING: dict[str, Any] = {"url": "", "event_types": (), "company_tags": ""}
_NOT_NOW = "The signing secret could not be made at the moment. Nothing was created. Please try again in a minute."


@dataclass(frozen=True)
class Row:
    consumer: Consumer
    last: Delivery | None


def show(site: Site, request: Request) -> Response:
    return _page(site, operator(site, request), _NOTHING)


def create(site: Site, request: Request) -> Response:
    """The answer itself has the secret, and no page after it."""
    own = operator(site, request)
    entered: dict[str, Any] = {
        "url": request.field("url"),
        "event_types": tuple(request.form.get("event_types") or ()),
        "company_tags": request.field("company_tags"),
    }
    try:
        consumer, secret = consumers.create(
            site.store, site.vault, site.clock(), site.new_id, entered["url"], entered["event_types"],
            entered["company_tags"].split(), disabled=False,
        )  # fmt: skip
    except Invalid as error:
        return _page(site, own, entered, errors=sentences(error, NAMES), status=422)
    except Unavailable:
        return _page(site, own, entered, errors=[_NOT_NOW], status=503)
    return portal_page(
        site,
        own,
        "portal_webhook_created",
        201,
        title="Webhook created",
        section="webhooks",
        consumer=consumer,
        secret=secret,
    )


def _page(
    site: Site, own: Operator, entered: dict[str, Any], errors: list[str] | None = None, status: int = 200
) -> Response:
    found = sorted(site.store.consumers(), key=lambda consumer: consumer.created)
    return portal_page(
        site,
        own,
        "portal_webhooks",
        status,
        title="Webhooks",
        section="webhooks",
        rows=[Row(consumer, _last(site, consumer)) for consumer in found],
        is_full=len(found) >= MOST_CONSUMERS,
        most=MOST_CONSUMERS,
        types=[type for type in ALL_TYPES if type != TEST],
        entered=entered,
        errors=errors or [],
    )


def _last(site: Site, consumer: Consumer) -> Delivery | None:
    """The newest one. Its state may be a moment old: the list is behind the table."""
    found = deliveries.page(site.store, consumer.id, None, None, "", 1, newest_first=True)
    return found[0][1] if found else None
