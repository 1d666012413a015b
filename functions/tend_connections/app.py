"""Once a day: token sets are kept alive, and connections that were removed at Xero are found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger

from feedlane import wiring

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers what was found; `resumeAfter` can be given to the next invocation if the time ran out."""

    def time_left() -> timedelta:
        return timedelta(milliseconds=context.get_remaining_time_in_millis())

    tended = wiring.tender().tend(event.get("resumeAfter") or "", time_left)
    logger.info("connections tended", extra={"seen": tended.seen, "ended": tended.ended, "unknown": tended.unknown})
    return {
        "seen": tended.seen,
        "ended": tended.ended,
        "unknown": tended.unknown,
        "resumeAfter": tended.resume_after,
    }
