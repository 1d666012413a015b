"""Relays events from the outbox to the bus, in order."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from feedlane import aws, measures
from feedlane.bus import EventBridgeBus
from feedlane.environment import Environment, environment, require
from feedlane.event import Event
from feedlane.measures import Measure
from feedlane.relaying import Bus, relay
from feedlane.store.stream import events_in

require(
    Environment.event_bus_name,
    Environment.metrics_namespace,
)

logger = Logger()


@lru_cache(maxsize=1)
def bus() -> Bus:
    return EventBridgeBus(aws.client("events"), environment().event_bus_name)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> None:
    """Fails if the bus did not accept an event: the batch is then delivered again, so that no event is lost.

    Events that the bus had accepted are sent twice, with the same id. Every event passes here, so this is where those
    that a person must act on are counted.
    """
    counts: Counter[Measure] = Counter()

    def count(event: Event) -> None:
        if measure := measures.told_by(event):
            counts[measure] += 1

    failed = relay(events_in(event, _unreadable), bus(), count)
    for measure, number in counts.items():
        measures.count(measure, number)
    if failed is not None:
        raise NotTaken(failed)


class NotTaken(Exception):
    """The bus did not accept the event at this place in the stream, or one sent together with it."""

    def __init__(self, sequence_number: str) -> None:
        super().__init__(f"the bus did not accept the event at {sequence_number}")
        self.sequence_number = sequence_number


def _unreadable(key: str) -> None:
    logger.error("an event in the outbox cannot be read", extra={"key": key})
    measures.count(Measure.EVENTS_UNREADABLE)
