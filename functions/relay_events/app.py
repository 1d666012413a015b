"""Events that were put into the outbox go to the bus, in order."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from feedlane import aws
from feedlane.bus import EventBridgeBus
from feedlane.environment import environment
from feedlane.relaying import Bus, relay
from feedlane.store.stream import events_in

logger = Logger()


@lru_cache(maxsize=1)
def bus() -> Bus:
    return EventBridgeBus(aws.client("events"), environment().event_bus_name)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Reports the first record that the bus did not take: the stream comes again from there."""
    failed = relay(events_in(event, _unreadable), bus())
    if failed is None:
        return {"batchItemFailures": []}
    logger.warning("the bus did not take an event", extra={"sequence_number": failed})
    return {"batchItemFailures": [{"itemIdentifier": failed}]}


def _unreadable(key: str) -> None:
    logger.error("an event in the outbox cannot be read", extra={"key": key})
