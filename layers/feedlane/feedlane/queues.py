"""The queues as ports: what the domain sends, without knowing SQS."""

from __future__ import annotations

from typing import Protocol

from feedlane.record import Record

# SQS delays a message by fifteen minutes at most.
DELAY_SECONDS_MAX = 900
# A message sent before a change arrives so much later, and finds out whether we crashed behind the change.
SAFETY_DELAY_SECONDS = 20


class Check(Record):
    """A message on `statement-checks`: look at something again, later.

    `kind` is "statement" (`number`, `turn`), "feedConnection" (`turn`), "wake" (`at`: when it was planned for),
    "wakeAll", "hold", "operation" (`operation_key`), "release" (`scope`, `subject`), "removed", "oneOffAccess" and
    "connectionBack" (`company_id`, `connection_id`), "linkStart" (`link_state`).
    `turn` counts the looks; a look whose turn is over does nothing. What concerns all feeds goes on behind the
    connection `after`.
    """

    kind: str
    feed_id: str = ""
    number: int = 0
    turn: int = 0
    operation_key: str = ""
    company_id: str = ""
    connection_id: str = ""
    link_state: str = ""
    scope: str = ""
    subject: str = ""
    at: str = ""
    after: str = ""


class Queues(Protocol):
    def push(self, group: str, deduplication_id: str, body: str) -> None:
        """Onto `transactions.fifo`."""

    def wake(self, feed_id: str) -> None:
        """Onto `statements.fifo`: this feed may have something to send."""

    def check(self, check: Check, delay_seconds: int) -> None:
        """Onto `statement-checks`, not before `delay_seconds` (0 to 900)."""

    def deliver(self, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        """Onto `webhook-deliveries`, not before `delay_seconds` (0 to 900)."""

    def replay(self, consumer_id: str, replay_id: str, delay_seconds: int) -> None:
        """Onto `webhook-deliveries`: the next step of a replay, not before `delay_seconds` (0 to 900)."""

    def set_aside(self, group: str, deduplication_id: str, body: str, reason: str) -> None:
        """Onto the dead-letter queue of `transactions.fifo`, with its reason."""
