"""Queues in memory: the messages in the order sent, for tests to check or to process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from feedlane.follow_ups import FollowUp
from tests import rights


@dataclass
class FakeQueues:
    pushed: list[dict[str, str]] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    follow_ups: list[tuple[FollowUp, int]] = field(default_factory=list)
    deliveries: list[tuple[str, str, int]] = field(default_factory=list)
    replays: list[tuple[str, str, int]] = field(default_factory=list)
    dead_letters: list[dict[str, str]] = field(default_factory=list)

    def push(self, group: str, deduplication_id: str, body: str) -> None:
        rights.require("sqs:SendMessage", "TransactionsQueue")
        self.pushed.append({"group": group, "id": deduplication_id, "body": body})

    def wake(self, feed_id: str) -> None:
        rights.require("sqs:SendMessage", "StatementsQueue")
        self.woken.append(feed_id)

    def follow_up(self, follow_up: FollowUp, delay_seconds: int) -> None:
        rights.require("sqs:SendMessage", "StatementChecksQueue")
        assert 0 <= delay_seconds <= 900
        self.follow_ups.append((follow_up, delay_seconds))

    def deliver(self, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        rights.require("sqs:SendMessage", "WebhookDeliveriesQueue")
        self.deliveries.append((consumer_id, event_id, delay_seconds))

    def replay(self, consumer_id: str, replay_id: str, delay_seconds: int) -> None:
        rights.require("sqs:SendMessage", "WebhookDeliveriesQueue")
        assert 0 <= delay_seconds <= 900
        self.replays.append((consumer_id, replay_id, delay_seconds))

    def dead_letter(self, group: str, deduplication_id: str, body: str, reason: str) -> None:
        rights.require("sqs:SendMessage", "TransactionsDeadLetters")
        self.dead_letters.append({"group": group, "body": body, "reason": reason})

    def take(self, name: str) -> list[Any]:
        """Empties a queue and returns its messages."""
        messages = getattr(self, name)
        setattr(self, name, [])
        return list(messages)
