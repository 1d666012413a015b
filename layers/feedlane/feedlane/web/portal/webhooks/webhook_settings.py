"""The settings of a webhook consumer in the portal: where it is, what it gets, its secret, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feedlane.errors import Invalid, Unavailable
from feedlane.web.form_errors import FormError, Words, form_errors, whole_form
from feedlane.web.portal.session import portal_page, require_operator
from feedlane.web.portal.webhooks.event_words import type_groups
from feedlane.web.portal.webhooks.webhooks import EVENT_TYPES, WORDS, entered_in, secret_page
from feedlane.web.request import Request
from feedlane.web.response import Response, see_other
from feedlane.web.site import Site
from feedlane.webhooks import consumers as webhook_consumers
from feedlane.webhooks import items as webhook_items
from feedlane.webhooks.consumer import Consumer

_VAULT_UNAVAILABLE = "The secrets cannot be reached just now. Nothing was changed: please try again in a minute."
_EACH_ON_A_LINE = "Enter each header on a line of its own, such as Authorization: Bearer abc."
_UNCONFIRMED = "Tick that the webhook is to be deleted, with its events that wait."


def show(
    site: Site, request: Request, consumer_id: str, errors: Sequence[FormError] = (), status: int = 200
) -> Response:
    operator = require_operator(site, request)
    consumer = webhook_items.consumer(site.store, consumer_id)
    return portal_page(
        site,
        operator,
        "webhooks/webhook_settings",
        status,
        title="Webhook settings",
        section="webhooks",
        tab="settings",
        consumer=consumer,
        # Types of Codat's that Feedlane never sends are kept if the API has chosen them.
        groups=type_groups(dict.fromkeys((*EVENT_TYPES, *consumer.event_types))),
        entered=entered_in(request) if "url" in request.form else _stored(consumer),
        errors=errors,
    )


def save(site: Site, request: Request, consumer_id: str) -> Response:
    """The headers stay unless new ones are entered, or they are to be removed: nothing shows their values."""
    require_operator(site, request)
    entered = entered_in(request)
    try:
        webhook_consumers.change(
            site.store, site.vault, site.webhook_targets, consumer_id, url=entered["url"],
            event_types=entered["event_types"], company_tags=entered["company_tags"].split(), headers=_headers(request),
        )  # fmt: skip
    except Invalid as error:
        return show(site, request, consumer_id, form_errors(error, _words(error)), 422)
    except Unavailable:
        return show(site, request, consumer_id, whole_form(_VAULT_UNAVAILABLE), 503)
    return see_other(request.url(f"/portal/webhooks/{consumer_id}?done=saved"))


def rotate(site: Site, request: Request, consumer_id: str) -> Response:
    """Only this response shows the new secret."""
    operator = require_operator(site, request)
    try:
        consumer, secret = webhook_consumers.rotate_secret(site.store, site.vault, site.clock(), consumer_id)
    except Unavailable:
        return show(site, request, consumer_id, whole_form(_VAULT_UNAVAILABLE), 503)
    return secret_page(site, operator, consumer, secret, "New signing secret")


def delete(site: Site, request: Request, consumer_id: str) -> Response:
    require_operator(site, request)
    if not request.field("confirmed"):
        return show(site, request, consumer_id, [FormError("confirmed", _UNCONFIRMED)], 422)
    try:
        webhook_consumers.delete(site.store, site.vault, consumer_id)
    except Unavailable:
        return show(site, request, consumer_id, whole_form(_VAULT_UNAVAILABLE), 503)
    return see_other(request.url("/portal/webhooks?done=deleted"))


def _stored(consumer: Consumer) -> dict[str, Any]:
    return {
        "url": consumer.url,
        "event_types": consumer.event_types,
        "company_tags": " ".join(consumer.company_tags),
    }


def _headers(request: Request) -> dict[str, str] | None:
    """The new ones; none at all if they are to be removed. None: they stay."""
    if request.field("remove_headers"):
        return {}
    lines = [line.strip() for line in request.field("headers").splitlines() if line.strip()]
    if not lines:
        return None
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise Invalid.field("headers", "must each be a name and a value", "Line")
        headers[name.strip()] = value.strip()
    return headers


def _words(error: Invalid) -> Words:
    """What is wrong with one header is shown beside the field of all of them."""
    of_headers = {one.item_id: ("headers", one.item_id) for one in error.findings if one.item_id.startswith("headers.")}
    return Words({**WORDS.fields, **of_headers}, {**WORDS.sentences, ("headers", "Line"): _EACH_ON_A_LINE})
