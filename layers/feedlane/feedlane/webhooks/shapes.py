"""Consumers, deliveries and replays as the API shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from feedlane.clock import iso
from feedlane.errors import Invalid
from feedlane.webhooks.consumer import Consumer
from feedlane.webhooks.delivery import NOT_ARRIVED, Attempt, Delivery, DeliveryState
from feedlane.webhooks.replay import Replay

Json = dict[str, Any]

_NEVER = datetime.min.replace(tzinfo=UTC)
# In a list, so that a page of the largest deliveries fits into a response of a Lambda function (6 MB).
LISTED_EXCERPT_LENGTH_MAX = 200


def consumer_json(consumer: Consumer, signing_secret: str | None = None) -> Json:
    """`signing_secret` only in the response that creates it. Headers show their names, never their values."""
    body = {
        "id": consumer.id,
        "url": consumer.url,
        "disabled": consumer.disabled,
        "disabledReason": consumer.disabled_because or None,
        "eventTypes": list(consumer.event_types),
        "companyTags": list(consumer.company_tags),
        "headers": dict.fromkeys(consumer.header_names, "x" * 12),
        "created": iso(consumer.created),
        "secretRotated": iso(consumer.secret_rotated) if consumer.secret_rotated else None,
        "failingSince": iso(consumer.failing_since) if consumer.failing_since else None,
    }
    return body | ({"signingSecret": signing_secret} if signing_secret else {})


def delivery_json(delivery: Delivery, excerpt: int | None = None) -> Json:
    """`id` is the event's id and the `webhook-id`. `nextAttempt` is null once it has ended, waits or is being sent.

    `excerpt` limits the characters shown of each response.
    """
    return {
        "id": delivery.event_id,
        "webhookId": delivery.consumer_id,
        "eventType": delivery.event_type,
        "companyId": delivery.company_id,
        "generatedDate": iso(delivery.event_time),
        "status": delivery.state.value,
        "nextAttempt": iso(delivery.due) if delivery.due else None,
        "attempts": [_attempt_json(attempt, excerpt) for attempt in delivery.attempts],
    }


def replay_json(replay: Replay) -> Json:
    """`succeeded` and `failed` count the deliveries that the replay has attempted and moved past."""
    return {
        "id": replay.id,
        "webhookId": replay.consumer_id,
        "which": replay.which.value,
        "since": iso(replay.since),
        "until": iso(replay.until),
        "companyId": replay.company_id,
        "status": replay.state.value,
        "succeeded": replay.succeeded,
        "failed": replay.failed,
        "started": iso(replay.started),
        "ended": iso(replay.ended) if replay.ended else None,
    }


def moment_in(name: str, text: str) -> datetime:
    """The time in a query or form field; UTC without an offset. Raises `Invalid` for the field `name`."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        moment = _NEVER
    if moment.year < 2000:  # years of fewer than four digits would not sort
        raise Invalid.field(name, "must be a time such as 2026-05-04T09:30:00Z", "DateTime")
    return moment


def states_in(text: str) -> frozenset[DeliveryState]:
    """The states of a filter: a state, `failed` for all without success, or empty for any. Raises `Invalid`."""
    if not text:
        return frozenset(DeliveryState)
    if text == "failed":
        return NOT_ARRIVED
    states = frozenset(state for state in DeliveryState if state.value.lower() == text.lower())
    if not states:
        raise Invalid.field("status", f"must be failed or one of {', '.join(DeliveryState)}", "Enum")
    return states


def _attempt_json(attempt: Attempt, excerpt: int | None) -> Json:
    return {
        "time": iso(attempt.time),
        "status": attempt.status,
        "error": attempt.error,
        "durationMs": attempt.duration_ms,
        "response": attempt.excerpt[:excerpt],
    }
