"""Every few minutes, by two schedules: the daily round over connections goes on, and the watch looks after the rest.

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
    """Answers where the round stands, or what the watch has seen."""
    return _watch() if event.get("watch") else _round(context)


def _watch() -> dict[str, Any]:
    seen = wiring.watch().look()
    facts = seen.model_dump(mode="json")
    if seen.replays_given_up:
        logger.error("replays failed again and again", extra=facts)
    else:
        logger.info("looked after what stands still", extra=facts)
    return facts


def _round(context: Any) -> dict[str, Any]:
    def time_left() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    round = wiring.rounds().go_on(time_left)
    if round is None:
        logger.info("another run is at the round")
        return {"busy": True}
    stands = {"day": round.day, "finished": round.finished, "seen": round.seen, "ended": round.ended}
    stands |= {"unknown": len(round.again)}
    logger.info("connections tended", extra=stands)
    return stands
