"""An app of which every feed has a statement to send, and messages that come when they are due, a little late."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from feedlane.feeds import items as feed_items
from feedlane.feeds.line import Line
from feedlane.feeds.upstream import Accepted, PostAnswer, StatementStatus, StatusAnswer, TenantAccess
from feedlane.follow_ups import FollowUp, StatementCheck
from feedlane.statements.gate import Gate
from feedlane.statements.sender import Sender
from feedlane.wiring.checks import Checks
from tests.fakes.queues import FakeQueues
from tests.fakes.upstream import FakeUpstream
from tests.rights import acting
from tests.worlds.many_feeds import WAITING
from tests.worlds.many_feeds import World as ManyFeeds

LATE_SECONDS_MAX = 2.0


class BusyApp(ManyFeeds):
    """Each feed is of its own organisation. Every call to Xero is noted with its time and its feed."""

    def __init__(self, feeds: int) -> None:
        super().__init__(feeds, feeds)
        self.rng = random.Random(1)
        self.timed = TimedQueues(self)
        self.queues = self.timed
        self.upstream = NotingUpstream(self)
        self.sender = acting("push_statements", Sender(self.ports, self.upstream))
        self.checks = acting("check_statements", Checks(self.ports, self.upstream))
        self.asks: Counter[tuple[str, str]] = Counter()
        """How often the gate was asked, by the kind of call and the feed."""
        self.posts: list[tuple[datetime, str]] = []
        self.looks: list[tuple[datetime, str]] = []
        self.now_handled: tuple[str, str] = "", ""
        lines = [Line(str(n), "2026-05-01", Decimal(1), Decimal(n), "", "", "", "Credit") for n in (1, 2)]
        assert len(lines) == WAITING
        writes = [write for feed in self.feeds for write in feed_items.add_lines(feed.id, 1, lines)]
        self.table.put_many([write.item for write in writes])

    @property
    def calls(self) -> list[datetime]:
        """When each call reached Xero."""
        return sorted(at for at, _ in self.posts + self.looks)

    def run(self) -> None:
        """Hands over every message when it comes, until none is left."""
        with self._counting():
            while self.timed.heap:
                due, _, message = heapq.heappop(self.timed.heap)
                self.now = max(self.now, due)
                self._handle(message)

    def _handle(self, message: str | FollowUp) -> None:
        feed_id: str = message if isinstance(message, str) else getattr(message, "feed_id", "")
        self.now_handled = "look" if isinstance(message, StatementCheck) else "post", feed_id
        if isinstance(message, str):
            self.sender.send(message)
        else:
            self.checks.dispatch(message)

    @contextmanager
    def _counting(self) -> Iterator[None]:
        enter = Gate.enter

        def counted(gate: Gate, *args: Any, **more: Any) -> Any:
            self.asks[self.now_handled] += 1
            return enter(gate, *args, **more)

        with patch.object(Gate, "enter", counted):
            yield

    def most_asks(self, kind: str) -> int:
        return max((asks for (asked, _), asks in self.asks.items() if asked == kind), default=0)


class TimedQueues(FakeQueues):
    """Delays are kept, in whole seconds as SQS has them, and what is late is late by up to two seconds."""

    def __init__(self, app: BusyApp) -> None:
        super().__init__()
        self.heap: list[tuple[datetime, int, str | FollowUp]] = []
        self._app, self._numbers = app, itertools.count()

    def wake(self, feed_id: str) -> None:
        self._put(feed_id, 0.01)

    def follow_up(self, follow_up: FollowUp, delay_seconds: int) -> None:
        assert 0 <= delay_seconds <= 900
        self._put(follow_up, delay_seconds + self._app.rng.uniform(0, LATE_SECONDS_MAX))

    def _put(self, message: str | FollowUp, seconds: float) -> None:
        due = self._app.now + timedelta(seconds=seconds)
        heapq.heappush(self.heap, (due, next(self._numbers), message))


class NotingUpstream(FakeUpstream):
    """Takes every statement, and has delivered it at the first look."""

    def __init__(self, app: BusyApp) -> None:
        super().__init__()
        self._app = app

    def post_statement(self, access: TenantAccess, request: bytes, idempotency_key: str) -> PostAnswer:
        self._app.posts.append((self._app.now, self._app.now_handled[1]))
        return Accepted(statement_id=f"statement-{len(self._app.posts)}", status=StatementStatus.PENDING)

    def statement_status(self, access: TenantAccess, statement_id: str) -> StatusAnswer:
        self._app.looks.append((self._app.now, self._app.now_handled[1]))
        return Accepted(statement_id=statement_id, status=StatementStatus.DELIVERED)
