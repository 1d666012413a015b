"""The functions that carry events to consumers, with their clock, table and clients replaced."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any
from unittest.mock import patch

from aws_lambda_powertools import Logger

from feedlane.aws import batch
from feedlane.aws import clients as aws
from feedlane.aws import queues as sqs
from feedlane.environment import environment
from feedlane.ports import Ports
from feedlane.store.store import Store
from feedlane.wiring import webhooks as webhook_wiring
from tests.chaos.timeline import Timeline
from tests.handlers import load

PUBLIC_URL = "https://feedlane.example"
EVENTS = "events"
DELIVERIES = "deliveries"
ENVIRONMENT = {
    "EVENTS_QUEUE_URL": EVENTS,
    "DELIVERIES_QUEUE_URL": DELIVERIES,
    "EVENT_BUS_NAME": "feedlane",
    "VAULT_ARN": "vault",
}


@cache
def function(name: str) -> ModuleType:
    return load(name)


@contextmanager
def wired(
    clients: dict[str, Any],
    store: Store,
    timeline: Timeline,
    rng: random.Random,
    new_id: Callable[[], str],
    sender: Any,
    concurrently: Callable[..., Any],
) -> Iterator[Logger]:
    """`sender` posts; `concurrently` replaces `batch.concurrently`, whose threads the timeline cannot run.

    Yields the functions' silent logger.
    """
    logger = Logger(service="webhooks", level="CRITICAL")
    logger.registered_handler.setStream(io.StringIO())  # type: ignore[attr-defined]
    logger.propagate = False
    now, queues = timeline.now, sqs.SQSQueues()
    route, deliver = function("route_events"), function("deliver_webhooks")
    ports = Ports(store, queues, now, new_id, PUBLIC_URL)
    with (
        patch.dict("os.environ", ENVIRONMENT),
        patch.multiple(aws, client=lambda service, *_: clients[service]),
        patch.object(batch, "concurrently", concurrently),
        patch.multiple(route, logger=logger, ports=lambda: ports, system_clock=now),
        patch.multiple(deliver, logger=logger, system_clock=now),
        patch.multiple(
            webhook_wiring, ports=lambda: ports, system_clock=now, random=rng, WebhookSender=lambda *_: sender
        ),
        patch("builtins.print"),  # metrics are printed
    ):
        _clear_caches(deliver)
        try:
            yield logger
        finally:
            _clear_caches(deliver)


def _clear_caches(deliver: ModuleType) -> None:
    environment.cache_clear()
    for factory in ("deliverer", "replayer"):
        getattr(deliver, factory).cache_clear()
