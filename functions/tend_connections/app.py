"""Started every few minutes by two schedules: one advances the daily round over connections, one runs the watch.

See `feedlane/upkeep/daily_round.py` and `feedlane/upkeep/watch.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger

from feedlane.aws import dead_letters, metrics
from feedlane.aws.metrics import Metric
from feedlane.environment import Environment, require
from feedlane.errors import Unavailable
from feedlane.upkeep import dead_letter_count
from feedlane.wiring import functions as wiring

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.codat_api_url,
    Environment.vault_arn,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
    Environment.deliveries_queue_url,
    Environment.dead_letter_queue_urls,
    Environment.metrics_namespace,
)

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns the progress of the round, or what the watch found."""

    def time_left() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    return _watch(time_left) if event.get("watch") else _round(time_left)


def _watch(time_left: Callable[[], timedelta]) -> dict[str, Any]:
    watch = wiring.watch()
    result = watch.run(time_left)
    waiting = dead_letters.waiting()
    metrics.record_dead_letters(waiting.alarming)
    with suppress(Unavailable):  # the next run counts again
        dead_letter_count.note_count(watch.ports.store, waiting.total, watch.ports.clock())
    facts = result.model_dump(mode="json")
    if result.rung:
        metrics.count(Metric.MESSAGES_LOST, sum(result.rung.values()))
    if result.steps_failed:
        logger.error("steps of the watch failed", extra=facts)
        # As a run that failed: Lambda repeats it, and then it ends among the dead letters of schedules, with an alarm.
        raise RuntimeError("; ".join(result.steps_failed))
    if result.replays_given_up:
        logger.error("replays keep failing", extra=facts)
    elif result.looks_failed:
        logger.error("some of what waits cannot be looked at", extra=facts)
    else:
        logger.info("watch finished", extra=facts)
    return facts


def _round(time_left: Callable[[], timedelta]) -> dict[str, Any]:
    state = wiring.daily_round().run(time_left)
    if state is None:
        logger.info("another run holds the daily round")
        return {"busy": True}
    progress = {"day": state.day, "finished": state.finished, "seen": state.seen, "ended": state.ended}
    progress |= {"unknown": len(state.again)}
    logger.info("daily round advanced", extra=progress)
    return progress
