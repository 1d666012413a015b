"""Queues in memory: the messages in the order sent, for tests to check or to process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from feedlane.follow_ups import FollowUp
from feedlane.queues import MESSAGE_BYTES_MAX
from tests import chains, rights
from tests.chains import NEW, Lineage

Sent = TypeVar("Sent")


class _Text(str):
    lineage: Lineage


class _Fields(tuple[Any, ...]):
    lineage: Lineage


class _Named(dict[str, Any]):
    lineage: Lineage


def in_chain(message: Sent, lineage: Lineage) -> Sent:
    """The same message, equal to what it was, with its lineage."""
    kinds: dict[type, Any] = {str: _Text, tuple: _Fields, dict: _Named}
    copy = kinds[type(message)](message)
    copy.lineage = lineage
    return cast(Sent, copy)


def lineage_of(message: Any) -> Lineage:
    """A message that a test has made begins a chain."""
    return getattr(message, "lineage", NEW)


@dataclass
class FakeQueues:
    """`run` hands a message to a function as Lambda does, `stopped` has those at which Lambda stopped a chain."""

    pushed: list[dict[str, str]] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    follow_ups: list[tuple[FollowUp, int]] = field(default_factory=list)
    deliveries: list[tuple[str, str, int]] = field(default_factory=list)
    replays: list[tuple[str, str, int]] = field(default_factory=list)
    dead_letters: list[dict[str, str]] = field(default_factory=list)
    stopped: list[tuple[str, Any]] = field(default_factory=list)
    lineage: Lineage = field(default_factory=lambda: NEW)
    """The lineage of a message that is sent now."""

    def push(self, group: str, deduplication_id: str, body: str) -> None:
        rights.require("sqs:SendMessage", "TransactionsQueue")
        assert len(body.encode()) <= MESSAGE_BYTES_MAX
        self.pushed.append(self._sent({"group": group, "id": deduplication_id, "body": body}))

    def wake(self, feed_id: str) -> None:
        rights.require("sqs:SendMessage", "StatementsQueue")
        self.woken.append(self._sent(feed_id))

    def follow_up(self, follow_up: FollowUp, delay_seconds: int) -> None:
        rights.require("sqs:SendMessage", "StatementChecksQueue")
        assert 0 <= delay_seconds <= 900
        self.follow_ups.append(self._sent((follow_up, delay_seconds)))

    def deliver(self, consumer_id: str, event_id: str, delay_seconds: int) -> None:
        rights.require("sqs:SendMessage", "WebhookDeliveriesQueue")
        self.deliveries.append(self._sent((consumer_id, event_id, delay_seconds)))

    def replay(self, consumer_id: str, replay_id: str, delay_seconds: int) -> None:
        rights.require("sqs:SendMessage", "WebhookDeliveriesQueue")
        assert 0 <= delay_seconds <= 900
        self.replays.append(self._sent((consumer_id, replay_id, delay_seconds)))

    def dead_letter(self, group: str, deduplication_id: str, body: str, reason: str) -> None:
        rights.require("sqs:SendMessage", "TransactionsDeadLetters")
        assert len(body.encode()) <= MESSAGE_BYTES_MAX
        self.dead_letters.append({"group": group, "body": body, "reason": reason})

    def take(self, name: str) -> list[Any]:
        """Empties a queue and returns its messages."""
        messages = getattr(self, name)
        setattr(self, name, [])
        return list(messages)

    def run(self, function: str, message: Any, work: Callable[[], None]) -> None:
        """The function's run with this message, whose work may send others. It does not happen if Lambda stops it."""
        lineage, before = lineage_of(message), self.lineage
        if chains.is_stopped(function, lineage):
            self.stopped.append((function, message))
            return
        self.lineage = chains.lineage_of_run(function, [lineage])
        try:
            work()
        finally:
            self.lineage = before

    def _sent(self, message: Sent) -> Sent:
        return in_chain(message, self.lineage)
