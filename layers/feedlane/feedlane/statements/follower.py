"""What is under way at Xero is followed to its end: statements, and feed connections that are being set up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.companies.reconnection import RECONNECTION_NEEDED
from feedlane.errors import AppKeysRejected, ReconnectionNeeded, Refused, Unavailable
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.upstream import Accepted, FeedConnection, Refusal, StatementStatus, TenantAccess, TryLater, Upstream
from feedlane.follow_ups import FeedConnectionCheck, StatementCheck
from feedlane.mapping import mapping, unmapping
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.statements import end as statement_end
from feedlane.statements import events as statement_events
from feedlane.statements import items as statement_items
from feedlane.statements.gate import Gate
from feedlane.statements.statement import StatementRecord, StatementState
from feedlane.statements.waits import not_before, set_not_before
from feedlane.store.attempts import attempts
from feedlane.store.table import Write

STUCK_AFTER = timedelta(hours=24)
DUPLICATE = "duplicate-statement"


@dataclass(frozen=True)
class StatementFollower:
    ports: Ports
    upstream: Upstream
    record_age: Callable[[timedelta], None] = lambda age: None
    """Is told how old a statement is that the upstream has not ended, whenever it is looked at."""

    def follow(self, check: StatementCheck) -> None:
        """Asks how the statement fares, if nobody has since the check was sent; or finishes what follows its end."""
        statement = statement_items.find_statement(self.ports.store, check.feed_id, check.number)
        feed = feed_items.find_feed(self.ports.store, check.feed_id)
        if statement is None or feed is None:
            return
        if statement.state is StatementState.PENDING and check.turn >= statement.turn:
            self._poll(check, feed, statement)
        else:
            self._carry_on(feed, statement)

    def _carry_on(self, feed: Feed, statement: StatementRecord) -> None:
        """Does what follows an end that is written down: whoever wrote it may have crashed before that."""
        if statement.state is StatementState.DELIVERED:
            statement_end.finish_delivered(self.ports, feed, self.ports.clock())
        elif statement.state is StatementState.REJECTED:
            self.ports.queues.wake(feed.id)

    def _poll(self, check: StatementCheck, feed: Feed, statement: StatementRecord) -> None:
        now = self.ports.clock()
        self.record_age(now - (statement.posted_on or statement.created))
        until = not_before(self.ports.store, [(Scope.APP, APP_SUBJECT), (Scope.TENANT, feed.tenant_id)])
        if until is not None and until > now:
            self._postpone(check, (until - now).total_seconds())
            return
        gate, call_id = Gate(self.ports), self.ports.new_id()
        seconds = gate.enter(feed.tenant_id, now, call_id)
        if seconds is not None:
            self._postpone(check, seconds)
            return
        access = TenantAccess(tenant_id=feed.tenant_id, token_set_id=feed.token_set_id)
        try:
            answer = self.upstream.statement_status(access, statement.upstream_id or "")
        finally:
            gate.leave(feed.tenant_id, self.ports.clock(), call_id)
        now = self.ports.clock()
        match answer:
            case Accepted(status=StatementStatus.DELIVERED):
                self._finish(feed.id, statement, None)
            case Accepted(status=StatementStatus.REJECTED, problems=problems):
                if problems and all(problem.type == DUPLICATE for problem in problems):
                    self._finish(feed.id, statement, None)
                else:
                    self._finish(feed.id, statement, self.upstream.refusal_for_rejection(problems))
            case TryLater():
                until = now + timedelta(seconds=answer.seconds)
                subject = {Scope.APP: APP_SUBJECT, Scope.TENANT: feed.tenant_id}.get(answer.scope, feed.id)
                set_not_before(self.ports.store, answer.scope, subject, until, now)
                self._postpone(check, answer.seconds)
            case Refusal(scope=Scope.CONNECTION | Scope.APP | Scope.TENANT) as refusal:
                statement_end.record_refused_status(self.ports, feed, refusal, now)
                self._poll_later(check, statement, now)
            case _:
                self._poll_later(check, statement, now)

    def _finish(self, feed_id: str, statement: StatementRecord, refusal: Refusal | None) -> None:
        """The feed may grow at the same moment: it is read again until the end fits it."""
        for attempt in attempts(f"feed {feed_id}"):
            feed = feed_items.find_feed(self.ports.store, feed_id)
            if feed is None:
                return
            if feed.flight is None or feed.flight.number != statement.number:
                # The same message was handed out twice and the other was faster; this one may be all that is left.
                ended = statement_items.find_statement(self.ports.store, feed_id, statement.number)
                self._carry_on(feed, ended or statement)
                return
            now = self.ports.clock()
            with attempt:
                if refusal is None:
                    statement_end.record_delivered(self.ports, feed, statement, now)
                else:
                    statement_end.record_rejected(self.ports, feed, statement, refusal, now)

    def _poll_later(self, check: StatementCheck, statement: StatementRecord, now: datetime) -> None:
        """Later each time. The next check is on its way before this one counts as done."""
        self.ports.queues.follow_up(check.but(turn=check.turn + 1), min(DELAY_SECONDS_MAX, 2 ** min(check.turn, 10)))
        seen = statement.but(turn=check.turn + 1)
        writes: list[Write] = []
        if not seen.stuck and seen.posted_on is not None and now - seen.posted_on > STUCK_AFTER:
            seen = seen.but(stuck=True)
            feed = feed_items.find_feed(self.ports.store, check.feed_id)
            if feed is not None:
                company = company_items.company(self.ports.store, feed.company_id)
                event = statement_events.statement_stuck(self.ports, feed, seen, company, now)
                writes.append(put_event(event))
        self.ports.store.commit(statement_items.put_statement(seen), *writes)

    def _postpone(self, check: StatementCheck, seconds: float) -> None:
        self.ports.queues.follow_up(check, max(1, min(DELAY_SECONDS_MAX, int(seconds) + 1)))

    def follow_feed_connection(self, check: FeedConnectionCheck) -> None:
        """A feed connection that Xero is still working on: the account is connected when it is active."""
        feed = feed_items.find_feed(self.ports.store, check.feed_id)
        if feed is None:
            return
        if not mapping.is_connecting(self.ports.store, feed):
            mapping.resume_feed(self.ports, self.ports.clock(), feed.id)
            return
        found, asked = self._feed_connection_at_xero(feed)
        if found is not None and found.active:
            mapping.record_feed_connection_active(self.ports, feed.id, found, self.ports.clock())
            mapping.resume_feed(self.ports, self.ports.clock(), feed.id)
            return
        if (
            asked
            and found is None
            and unmapping.record_feed_connection_gone(self.ports, feed.id, feed.feed_connection_id, self.ports.clock())
        ):
            return
        rejection = found.rejection if found else None
        if rejection and unmapping.record_feed_connection_rejected(
            self.ports, feed.id, feed.feed_connection_id, rejection, self.ports.clock()
        ):
            return
        self.ports.queues.follow_up(check.but(turn=check.turn + 1), min(DELAY_SECONDS_MAX, 2 ** min(check.turn, 10)))

    def _feed_connection_at_xero(self, feed: Feed) -> tuple[FeedConnection | None, bool]:
        """What Xero has, and whether Xero could be asked."""
        until = not_before(self.ports.store, [(Scope.APP, APP_SUBJECT), (Scope.TENANT, feed.tenant_id)])
        gate, call_id = Gate(self.ports), self.ports.new_id()
        if until is not None and until > self.ports.clock():
            return None, False
        if gate.enter(feed.tenant_id, self.ports.clock(), call_id) is not None:
            return None, False
        access = TenantAccess(tenant_id=feed.tenant_id, token_set_id=feed.token_set_id)
        try:
            # Whatever keeps Xero from answering now: it may be mended, and the account waits to be connected.
            with suppress(Unavailable, Refused, AppKeysRejected):
                return self.upstream.feed_connection(access, feed.feed_connection_id), True
        except ReconnectionNeeded as needed:
            # Only the customer can mend it, and it may be that nobody else asks for this connection.
            refusal = Refusal(scope=Scope.CONNECTION, reason=RECONNECTION_NEEDED, problem=needed.problem)
            statement_end.record_refused_status(self.ports, feed, refusal, self.ports.clock())
        finally:
            gate.leave(feed.tenant_id, self.ports.clock(), call_id)
        return None, False
