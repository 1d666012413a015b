"""The queues as ports: what the domain sends, without knowing SQS."""

from __future__ import annotations

from typing import Protocol

from feedlane.follow_ups import FollowUp

# SQS delays a message by fifteen minutes at most.
DELAY_SECONDS_MAX = 900
# A message sent before a change arrives so much later, and finds out whether we crashed behind the change.
SAFETY_DELAY_SECONDS = 20


class Queues(Protocol):
    def push(self, group: str, deduplication_id: str, body: str) -> None:
        """Onto `transactions.fifo`."""

    def wake(self, feed_id: str) -> None:
        """Onto `statements.fifo`: this feed may have something to send."""

    def follow_up(self, follow_up: FollowUp, delay_seconds: int) -> None:
        """Onto `statement-checks`: this is looked at, not before `delay_seconds` (0 to 900)."""

    def deliver(self, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        """Onto `webhook-deliveries`, not before `delay_seconds` (0 to 900)."""

    def replay(self, consumer_id: str, replay_id: str, delay_seconds: int) -> None:
        """Onto `webhook-deliveries`: the next step of a replay, not before `delay_seconds` (0 to 900)."""

    def set_aside(self, group: str, deduplication_id: str, body: str, reason: str) -> None:
        """Onto the dead-letter queue of `transactions.fifo`, with its reason."""
