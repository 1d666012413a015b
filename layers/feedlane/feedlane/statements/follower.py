"""Polls the upstream for the status of a posted statement until the statement ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_end
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import (
    Accepted,
    Refusal,
    StatementStatus,
    StatusAnswer,
    TenantAccess,
    TryLater,
    Upstream,
)
from feedlane.follow_ups import StatementCheck
from feedlane.holds import placement
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.queues import DELAY_SECONDS_MAX
from feedlane.scope import Scope
from feedlane.statements import end as statement_end
from feedlane.statements import events as statement_events
from feedlane.statements import items as statement_items
from feedlane.statements import poll
from feedlane.statements.statement import Doubt, StatementRecord, StatementState, is_in_doubt
from feedlane.statements.waits import growing, record_wait
from feedlane.store import keys
from feedlane.store.attempts import attempts
from feedlane.store.read_ahead import with_read_ahead
from feedlane.store.table import Write

_CONNECTION_DELETED = Problem(
    type="connection-deleted",
    title="Connection deleted",
    status=400,
    detail="The connection was deleted before Xero had said whether it has these transactions: it may have them.",
)


@dataclass(frozen=True)
class StatementFollower:
    """Follows statements that the upstream has taken. `end.py` records how they end."""

    ports: Ports
    upstream: Upstream
    record_age: Callable[[timedelta], None] = lambda age: None
    """Called at each poll with the age of a statement that the upstream has not yet ended."""

    def follow(self, check: StatementCheck) -> None:
        """Polls the statement, unless a later check has done so; or finishes what follows its recorded end."""
        wanted = (keys.statement(check.feed_id, check.number), keys.feed(check.feed_id))
        ahead = with_read_ahead(self.ports.store, wanted)
        statement = statement_items.find_statement(ahead, check.feed_id, check.number)
        feed = feed_items.find_feed(ahead, check.feed_id)
        if statement is None or feed is None:
            return
        if statement.state is StatementState.PENDING and check.turn >= statement.turn:
            self._poll(check, feed, statement)
        else:
            self._finish(feed, statement)

    def _poll(self, check: StatementCheck, feed: Feed, statement: StatementRecord) -> None:
        self.record_age(self.ports.clock() - (statement.posted_on or statement.created))
        access = TenantAccess(tenant_id=feed.tenant_id, token_set_id=feed.token_set_id)
        with poll.wait_before_call(self.ports, feed) as wait_seconds:
            if wait_seconds is not None:
                self._postpone(check, wait_seconds)
                return
            answer = self.upstream.statement_status(access, statement.upstream_id or "")
        self._record_status(check, feed, statement, answer)

    def _record_status(
        self, check: StatementCheck, feed: Feed, statement: StatementRecord, answer: StatusAnswer
    ) -> None:
        now = self.ports.clock()
        match answer:
            case Accepted(status=StatementStatus.DELIVERED, lines=int(lines)) if lines < statement.line_count:
                # It has dropped lines that it took for known ones: nothing shows that it has those.
                self._poll_later(check, statement.but(doubt=Doubt.LINES_MISSING, lines_there=lines), now)
            case Accepted(status=StatementStatus.DELIVERED):
                self._end(feed.id, statement, None)
            case Accepted(status=StatementStatus.REJECTED) as rejected if rejected.is_known_already:
                self._end(feed.id, statement, None, known_already=True)
            case Accepted(status=StatementStatus.REJECTED, problems=problems):
                self._end(feed.id, statement, self._refusal(feed, statement, problems))
            case TryLater():
                outages = statement.outages + answer.is_outage
                wait = growing(answer, outages)
                record_wait(self.ports.store, feed, wait, now)
                if wait.is_outage:
                    self._poll_later(check, statement.but(outages=outages), now, wait.seconds)
                else:
                    self._postpone(check, wait.seconds)
            case Refusal() if placement.is_deleted(self.ports.store, feed, Scope.CONNECTION):
                self._give_up(feed, now)
            case Refusal(scope=Scope.CONNECTION | Scope.APP | Scope.TENANT) as refusal:
                poll.hold_refused(self.ports, feed, refusal, now)
                self._poll_later(check, statement, now)
            case _:
                self._poll_later(check, statement.but(outages=0), now)

    def _refusal(self, feed: Feed, statement: StatementRecord, problems: Sequence[Problem]) -> Refusal:
        access = TenantAccess(tenant_id=feed.tenant_id, token_set_id=feed.token_set_id)
        refusal = self.upstream.refusal_for_rejection(access, problems)
        return self.upstream.explained(access, refusal, statement.feed_connection_id or feed.feed_connection_id)

    def _end(
        self, feed_id: str, statement: StatementRecord, refusal: Refusal | None, known_already: bool = False
    ) -> None:
        """Records the end. The feed may grow at the same time: it is read again until the commit fits."""
        for attempt in attempts(f"feed {feed_id}"):
            feed = feed_items.find_feed(self.ports.store, feed_id)
            if feed is None:
                return
            if feed.flight is None or feed.flight.number != statement.number:
                # A duplicate of this message recorded the end, and may have crashed before the next step.
                ended = statement_items.find_statement(self.ports.store, feed_id, statement.number)
                self._finish(feed, ended or statement)
                return
            now = self.ports.clock()
            with attempt:
                if known_already:
                    statement_end.record_known_already(self.ports, feed, statement, now)
                elif refusal is None:
                    statement_end.record_delivered(self.ports, feed, statement, now)
                else:
                    statement_end.record_rejected(self.ports, feed, statement, refusal, now)

    def _finish(self, feed: Feed, statement: StatementRecord) -> None:
        """Does what follows a recorded end: the function that recorded it may have crashed before that."""
        if statement.state is StatementState.DELIVERED:
            statement_end.finish_delivered(self.ports, feed, self.ports.clock())
        elif statement.state is StatementState.REJECTED:
            self.ports.queues.wake(feed.id)

    def _poll_later(
        self, check: StatementCheck, statement: StatementRecord, now: datetime, seconds_min: int = 0
    ) -> None:
        """Schedules the next poll, then records this one. Reports the statement once if it is in doubt.

        If its company has been deleted, nobody can resolve it: then it is polled no more.
        """
        polled, writes = statement.but(turn=check.turn + 1), list[Write]()
        if is_in_doubt(polled, now):
            feed = feed_items.find_feed(self.ports.store, check.feed_id)
            company = company_items.find_company(self.ports.store, feed.company_id) if feed else None
            if feed is None or company is None:
                return
            if not polled.stuck:
                polled = polled.but(stuck=True, doubt=polled.doubt or Doubt.NOT_ENDED)
                writes.append(put_event(statement_events.statement_stuck(self.ports, feed, polled, company, now)))
        delay = max(min(seconds_min, DELAY_SECONDS_MAX), poll.delay_seconds(check.turn))
        self.ports.queues.follow_up(check.but(turn=check.turn + 1, once=False), delay)
        self.ports.store.commit(statement_items.put_statement(polled), *writes)

    def _give_up(self, feed: Feed, now: datetime) -> None:
        """Its connection was deleted, and the access with it: nobody will learn how the statement ended."""
        company = company_items.company(self.ports.store, feed.company_id)
        push_operation_end.fail(self.ports, feed.id, feed.delivered_through, _CONNECTION_DELETED, company, now)

    def _postpone(self, check: StatementCheck, seconds: float) -> None:
        """Schedules the same poll again: this one was not allowed to go, or Xero asked to wait."""
        if check.once and seconds > DELAY_SECONDS_MAX:
            return  # before that the watch sends another: each would add one that asks again and again
        self.ports.queues.follow_up(check, poll.postponed_seconds(seconds))
