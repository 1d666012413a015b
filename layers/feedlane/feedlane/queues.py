"""The queues as ports: what the domain sends, without knowing SQS."""

from __future__ import annotations

import re
from typing import Protocol

from feedlane.follow_ups import FollowUp

# SQS delays a message by fifteen minutes at most.
DELAY_SECONDS_MAX = 900
# The delay of a check that is scheduled before a commit: it runs after the commit, and finds out whether the process
# crashed in between.
SAFETY_DELAY_SECONDS = 20
# SQS accepts messages of up to one MiB, attributes included.
MESSAGE_BYTES_MAX = 1_048_576
_DEDUPLICATION_ID_LENGTH_MAX = 128
_REASON_SIGN = "!reason="
_NOT_IN_IDS = re.compile(r"[^!-~]")


def with_reason(deduplication_id: str, reason: str) -> str:
    """A deduplication id with the reason of a dead letter that has no room for it elsewhere, cut to what fits."""
    return f"{deduplication_id}{_REASON_SIGN}{_NOT_IN_IDS.sub('_', reason)}"[:_DEDUPLICATION_ID_LENGTH_MAX]


def reason_in(deduplication_id: str) -> str:
    """The reason in such an id; empty for every other one."""
    return deduplication_id.partition(_REASON_SIGN)[2].replace("_", " ")


def without_reason(deduplication_id: str) -> str:
    return deduplication_id.partition(_REASON_SIGN)[0]


class Queues(Protocol):
    """`delay_seconds` is from 0 to `DELAY_SECONDS_MAX`; no message arrives before it is over."""

    def push(self, group: str, deduplication_id: str, body: str) -> None:
        """Onto `transactions.fifo`."""

    def wake(self, feed_id: str) -> None:
        """Onto `statements.fifo`: this feed may have something to send."""

    def follow_up(self, follow_up: FollowUp, delay_seconds: int) -> None:
        """Onto `statement-checks`: something to check later."""

    def deliver(self, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        """Onto `webhook-deliveries`: one attempt at a delivery."""

    def replay(self, consumer_id: str, replay_id: str, delay_seconds: int) -> None:
        """Onto `webhook-deliveries`: the next step of a replay."""

    def dead_letter(self, group: str, deduplication_id: str, body: str, reason: str) -> None:
        """Onto the dead-letter queue of `transactions.fifo`, with the reason."""
