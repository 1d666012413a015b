"""The portal's list of webhook consumers, and the form that creates one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from feedlane.errors import Invalid, Unavailable
from feedlane.events.event import ALL_TYPES, TEST
from feedlane.web.form_errors import FormError, Words, form_errors, whole_form
from feedlane.web.portal.listing import ListQuery, list_query, page_of
from feedlane.web.portal.session import Operator, portal_page, require_operator
from feedlane.web.portal.webhooks.event_words import type_groups
from feedlane.web.request import Request
from feedlane.web.response import Response
from feedlane.web.site import Site
from feedlane.webhooks import consumers as webhook_consumers
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.attempt_counts import AttemptCounts, attempt_counts
from feedlane.webhooks.consumer import CONSUMERS_MAX, Consumer

WORDS = Words(
    {
        "url": ("url", "URL"),
        "eventTypes": ("event_types", "Events"),
        "companyTags": ("company_tags", "Company tags"),
        "headers": ("headers", "Headers"),
        "webhooks": ("", "Webhooks"),
    },
    {
        ("url", "Https"): "Enter a URL that begins with https://.",
        ("companyTags", "Tag"): "Company tags must each be a name and a value, such as region:uk.",
        ("webhooks", "MaximumCount"): f"There are already {CONSUMERS_MAX} consumers. Delete one first.",
    },
)
# Those that a form offers: a test is sent whatever the consumer has chosen.
EVENT_TYPES = tuple(type for type in ALL_TYPES if type != TEST)
_EMPTY_FORM: dict[str, Any] = {"url": "", "event_types": (), "company_tags": ""}
_VAULT_UNAVAILABLE = (
    "The signing secret could not be created, so the webhook was not added. Please try again in a minute."
)
_STATES = (("enabled", "Enabled"), ("failing", "Failing"), ("disabled", "Disabled"))


@dataclass(frozen=True)
class ConsumerRow:
    consumer: Consumer
    attempts: AttemptCounts


def show(site: Site, request: Request) -> Response:
    return _page(site, request, require_operator(site, request), entered_in(request) if request.form else _EMPTY_FORM)


def create(site: Site, request: Request) -> Response:
    """Only this response shows the secret; no later page does."""
    operator = require_operator(site, request)
    entered = entered_in(request)
    try:
        consumer, secret = webhook_consumers.create(
            site.ports, site.vault, site.webhook_targets, site.clock(), entered["url"], entered["event_types"],
            entered["company_tags"].split(), disabled=False,
        )  # fmt: skip
    except Invalid as error:
        return _page(site, request, operator, entered, errors=form_errors(error, WORDS), status=422)
    except Unavailable:
        return _page(site, request, operator, entered, errors=whole_form(_VAULT_UNAVAILABLE), status=503)
    return secret_page(site, operator, consumer, secret, "Webhook created", 201)


def secret_page(
    site: Site, operator: Operator, consumer: Consumer, secret: str, title: str, status: int = 200
) -> Response:
    """The only page that shows a signing secret, once."""
    return portal_page(
        site,
        operator,
        "webhooks/webhook_created",
        status,
        title=title,
        section="webhooks",
        consumer=consumer,
        secret=secret,
    )


def entered_in(request: Request) -> dict[str, Any]:
    return {
        "url": request.field("url"),
        "event_types": tuple(request.form.get("event_types") or ()),
        "company_tags": request.field("company_tags"),
    }


def state_of(consumer: Consumer) -> str:
    if consumer.disabled:
        return "disabled"
    return "failing" if consumer.failing_since else "enabled"


def _page(
    site: Site,
    request: Request,
    operator: Operator,
    entered: dict[str, Any],
    errors: Sequence[FormError] = (),
    status: int = 200,
) -> Response:
    consumers, query = webhook_items.consumers(site.store), list_query(request, "q", "state")
    page = page_of(query, sorted(_wanted(consumers, query), key=lambda one: one.created), total=len(consumers))
    counts = attempt_counts(site.store, [consumer.id for consumer in page.rows], site.clock())
    return portal_page(
        site,
        operator,
        "webhooks/webhooks",
        status,
        title="Webhooks",
        section="webhooks",
        page=page,
        states=_STATES,
        rows=[ConsumerRow(consumer, counts[consumer.id]) for consumer in page.rows],
        consumers=len(consumers),
        is_full=len(consumers) >= CONSUMERS_MAX,
        consumers_max=CONSUMERS_MAX,
        groups=type_groups(EVENT_TYPES),
        entered=entered,
        done="Deleted. Its events are no longer sent." if request.query.get("done") == "deleted" else "",
        errors=errors,
    )


def _wanted(consumers: Iterable[Consumer], query: ListQuery) -> Iterable[Consumer]:
    text = query["q"].casefold()
    for one in consumers:
        texts = (one.url, one.id, *one.company_tags, *one.event_types)
        if query["state"] in ("", state_of(one)) and any(text in part.casefold() for part in texts):
            yield one
