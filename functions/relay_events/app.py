"""Relays events from the outbox to the bus, in order."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from feedlane.aws import clients as aws
from feedlane.aws import metrics
from feedlane.aws.event_bridge import EventBridgeBus
from feedlane.aws.metrics import Metric
from feedlane.aws.table_stream import events_in
from feedlane.environment import Environment, environment, require
from feedlane.events.event import Event
from feedlane.events.outbox import event_key
from feedlane.events.relay import Bus, EventNotAccepted, relay

require(Environment.event_bus_name, Environment.metrics_namespace)

logger = Logger()


@lru_cache(maxsize=1)
def bus() -> Bus:
    return EventBridgeBus(aws.client("events"), environment().event_bus_name)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    """Fails if the bus did not accept an event: the batch is then delivered again, so that no event is lost.

    Events that the bus had accepted are sent twice, with the same id. Every event passes through here, so this is where
    those that need a person's attention are counted.
    """
    counts: Counter[Metric] = Counter()

    def count(event: Event) -> None:
        if metric := metrics.metric_of(event):
            counts[metric] += 1

    failed = relay(events_in(event, _set_aside), bus(), count, _set_aside_event)
    for metric, number in counts.items():
        metrics.count(metric, number)
    if failed is not None:
        raise EventNotAccepted(failed)


def _set_aside_event(event: Event, reason: str) -> None:
    pk, sk = event_key(event)
    _set_aside(f"{pk} {sk}", reason)


def _set_aside(key: str, reason: str) -> None:
    """The event stays in the outbox, and an alarm asks a person to look at it."""
    logger.error("an event in the outbox cannot be sent", extra={"key": key, "reason": reason})
    metrics.count(Metric.EVENTS_UNREADABLE)
