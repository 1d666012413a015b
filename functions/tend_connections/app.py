"""Started every few minutes by two schedules: one advances the daily round over connections, one runs the watch.

See `feedlane/tending_round.py` and `feedlane/watching.py`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger

from feedlane import wiring
from feedlane.environment import Environment, require

require(
    Environment.table_name,
    Environment.public_url,
    Environment.xero_api_url,
    Environment.vault_function_name,
    Environment.statements_queue_url,
    Environment.checks_queue_url,
    Environment.deliveries_queue_url,
)

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the progress of the round, or what the watch found."""
    return _watch() if event.get("watch") else _round(context)


def _watch() -> dict[str, Any]:
    result = wiring.watch().look()
    facts = result.model_dump(mode="json")
    if result.replays_given_up:
        logger.error("replays keep failing", extra=facts)
    else:
        logger.info("watch finished", extra=facts)
    return facts


def _round(context: Any) -> dict[str, Any]:
    def time_left() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    round = wiring.rounds().go_on(time_left)
    if round is None:
        logger.info("another run holds the daily round")
        return {"busy": True}
    progress = {"day": round.day, "finished": round.finished, "seen": round.seen, "ended": round.ended}
    progress |= {"unknown": len(round.again)}
    logger.info("daily round advanced", extra=progress)
    return progress
