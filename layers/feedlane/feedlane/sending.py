"""A feed's waiting lines go to the upstream: one statement at a time, written down before it is posted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from feedlane import ending, holding, mapping, statement_end
from feedlane.clock import Clock, local_date
from feedlane.errors import NotFound
from feedlane.feed import Feed, Flight, FlightStatus
from feedlane.hold import APP, Scope
from feedlane.ids import NewId, fingerprint
from feedlane.queues import Check, Queues
from feedlane.statement import MOST_LINES, StatementRecord, StatementState, Wait, next_statement
from feedlane.store import ledger, push_operations
from feedlane.store.limits import not_before, plan_wake, planned_wake, put_not_before
from feedlane.store.store import Store
from feedlane.store.table import ConditionFailed
from feedlane.store.traffic import Gate
from feedlane.upstream import (
    Accepted,
    AlreadyThere,
    Failed,
    NoAnswer,
    PostAnswer,
    Refusal,
    TenantAccess,
    TryLater,
    Upstream,
)

FIRST_LOOK = 1
LONGEST_DELAY = 900
_TRIES = 10
# What an unchanged statement can be refused for, however often it goes: it was not taken before either.
ALWAYS_REFUSED = frozenset({400, 413, 422})


@dataclass(frozen=True)
class NeverTaken:
    """The statement in doubt is none that the upstream has: its lines are cut anew."""


@dataclass(frozen=True)
class Sender:
    """What sending needs: the store, the queues, the upstream, the time and new ids."""

    store: Store
    queues: Queues
    upstream: Upstream
    clock: Clock
    new_id: NewId

    def send(self, feed_id: str) -> None:
        """Sends the feed's next statement, or settles the one in doubt, or does nothing because there is nothing to do.

        Raises `ConditionFailed` if somebody else moved the feed meanwhile: the wake-up must come again.
        """
        feed = ledger.find_feed(self.store, feed_id)
        if feed is None:
            return
        try:
            self._send(feed)
        except NotFound as missing:
            if missing.what != "company":
                raise
            # Deleted meanwhile: nobody is left to send for, or to tell.

    def _send(self, feed: Feed) -> None:
        if feed.flight is not None and feed.flight.status is FlightStatus.PENDING:
            self._look_again(feed)
            return
        if not feed.waiting:
            self._finish(feed)
            return
        if self._must_wait(feed):
            return
        gate, call_id = Gate(self.store), self.new_id()
        seconds = gate.enter(feed.tenant_id, self.clock(), call_id)
        if seconds is not None:
            self._wake_at(feed, self.clock() + timedelta(seconds=seconds))
            return
        try:
            self._post(feed)
        finally:
            gate.leave(feed.tenant_id, self.clock(), call_id)

    def _post(self, feed: Feed) -> None:
        """What waits is cut only now that it may go: while Xero's limits hold it up, the statement gets fuller."""
        statement, request, in_doubt = self._resume(feed) if feed.flight else self._cut(feed)
        if statement is None:
            return
        key = fingerprint(f"{feed.id}#{statement.number}#{statement.key_turn}")
        access = TenantAccess(tenant_id=feed.tenant_id, token_set_id=feed.token_set_id)
        if statement.feed_connection_id not in ("", feed.feed_connection_id):
            # Its feed connection was replaced: these bytes can only be refused now. Did they arrive before?
            answer: PostAnswer | NeverTaken = self.upstream.find_statement(access, request) or NeverTaken()
        else:
            answer = self.upstream.post_statement(access, request, key)
        if isinstance(answer, AlreadyThere):
            # Our own intent: an earlier try of these bytes got through. How it ends has yet to be seen.
            answer, in_doubt = self.upstream.find_statement(access, request) or answer, True
        self._settle(feed.id, statement, answer, in_doubt)

    def _finish(self, feed: Feed) -> None:
        """All is delivered or set aside; operations may not know it yet, after a crash or a release."""
        if feed.passed_through > feed.delivered_through:
            feed = feed.but(delivered_through=feed.passed_through)
            self.store.commit(ledger.put_feed(feed))
        if push_operations.open_operations(self.store, feed.id, through=feed.delivered_through):
            company = self.store.company(feed.company_id)
            ending.succeed(self.store, feed.id, feed.delivered_through, company, self.clock(), self.new_id)

    def _look_again(self, feed: Feed) -> None:
        """The upstream has the statement: a look is on its way, unless the one who sent it crashed just before.

        What waits behind it may be held meanwhile.
        """
        self._tell_if_held(feed)
        flight = feed.flight
        statement = ledger.statement(self.store, feed.id, flight.number) if flight else None
        if statement is not None and statement.state is StatementState.PENDING and statement.turn == 0:
            self.queues.check(Check(kind="statement", feed_id=feed.id, number=statement.number), FIRST_LOOK)

    def _must_wait(self, feed: Feed) -> bool:
        """Whether a hold, the settings, a missing mapping or a rate limit forbids sending now."""
        if self._tell_if_held(feed):
            return True
        now = self.clock()
        settings = self.store.settings()
        if not (settings.enabled and settings.bank_feeds and feed.feed_connection_id):
            return True
        if mapping.is_connecting(self.store, feed):
            return True
        until = not_before(self.store, [(Scope.APP, APP), (Scope.TENANT, feed.tenant_id), (Scope.FEED, feed.id)])
        if until is None or until <= now:
            return False
        self._wake_at(feed, until)
        return True

    def _tell_if_held(self, feed: Feed) -> bool:
        holds = self.store.holds_on(feed.holdable)
        if holds:
            company = self.store.company(feed.company_id)
            holding.fail_waiting(self.store, feed, holds[0], company, self.clock(), self.new_id)
        return bool(holds)

    def _cut(self, feed: Feed) -> tuple[StatementRecord | None, bytes, bool]:
        """The next statement, frozen: what is posted is written down first, byte for byte."""
        now = self.clock()
        lines = ledger.lines_from(self.store, feed.id, feed.passed_through + 1, MOST_LINES)
        cut = next_statement(feed, lines, local_date(now, feed.time_zone), self.upstream.line_bytes)
        if cut is None:
            return None, b"", False
        if isinstance(cut, Wait):
            self._wake_at(feed, now + timedelta(seconds=LONGEST_DELAY))
            return None, b"", False
        number = feed.statements + 1
        statement = StatementRecord(
            feed_id=feed.id,
            number=number,
            first=cut.first,
            last=cut.last,
            start_date=cut.statement.start_date.isoformat(),
            end_date=cut.statement.end_date.isoformat(),
            feed_connection_id=cut.statement.feed_connection_id,
            created=now,
        )
        request = self.upstream.request_bytes(cut.statement)
        flight = Flight(number=number, first=cut.first, last=cut.last, status=FlightStatus.POSTING)
        writes = ledger.add_statement(statement, request)
        self.store.commit(ledger.put_feed(feed.but(flight=flight, statements=number)), *writes)
        return statement.but(version=1), request, False

    def _resume(self, feed: Feed) -> tuple[StatementRecord | None, bytes, bool]:
        """The statement that was written down and perhaps posted, with the very bytes it had.

        Its version rises: whoever posted it before and still waits for the answer can no longer settle it.
        """
        number = feed.flight.number if feed.flight else 0
        statement = ledger.statement(self.store, feed.id, number)
        if statement is None:
            return None, b"", False
        request = ledger.statement_request(self.store, statement)
        in_doubt = not statement.known_unsent
        statement = statement.but(known_unsent=False)
        self.store.commit(ledger.put_statement(statement))
        return statement.but(version=statement.version + 1), request, in_doubt

    def _settle(self, feed_id: str, statement: StatementRecord, answer: PostAnswer | NeverTaken, in_doubt: bool) -> None:
        """Writes down what the answer means. The feed may have grown meanwhile: it is read again until it fits."""
        statement = statement.but(attempts=statement.attempts + 1)
        for _ in range(_TRIES):
            feed = ledger.find_feed(self.store, feed_id)
            if feed is None or feed.flight is None or feed.flight.number != statement.number:
                return  # settled by somebody else
            try:
                self._settle_on(feed, statement, answer, in_doubt)
            except ConditionFailed:
                continue
            return
        raise ConditionFailed([])

    def _settle_on(
        self, feed: Feed, statement: StatementRecord, answer: PostAnswer | NeverTaken, in_doubt: bool
    ) -> None:
        now = self.clock()
        match answer:
            case Accepted():
                self._accepted(feed, statement, answer, now)
            case AlreadyThere():
                # Known line by line, and not listed any more: it arrived long ago.
                statement_end.delivered(self.store, self.queues, feed, statement, now, self.new_id)
            case NeverTaken():
                ended = statement.but(state=StatementState.REFUSED, ended_on=now)
                self.store.commit(ledger.put_statement(ended), ledger.put_feed(feed.but(flight=None)))
                self.queues.wake(feed.id)
            case Refusal():
                self._refused(feed, statement, answer, in_doubt, now)
            case TryLater():
                self._later(feed, statement, answer, in_doubt, now)
            case Failed():
                # Its answer is cached under the key: the same bytes go again under a new one.
                self._again(feed, statement.but(key_turn=statement.key_turn + 1, known_unsent=False), now)
            case NoAnswer():
                self._again(feed, statement.but(known_unsent=False), now)
            case _:
                assert_never(answer)

    def _accepted(self, feed: Feed, statement: StatementRecord, answer: Accepted, now: datetime) -> None:
        taken = statement.but(state=StatementState.PENDING, upstream_id=answer.statement_id, posted_on=now)
        flight = Flight(
            number=statement.number, first=statement.first, last=statement.last, status=FlightStatus.PENDING
        )
        self.store.commit(ledger.put_statement(taken), ledger.put_feed(feed.but(flight=flight)))
        self.queues.check(Check(kind="statement", feed_id=feed.id, number=statement.number), FIRST_LOOK)

    def _refused(self, feed: Feed, statement: StatementRecord, refusal: Refusal, in_doubt: bool, now: datetime) -> None:
        """Held. A statement that certainly was not taken is cut anew after the release; one in doubt stays as it is."""
        company = self.store.company(feed.company_id)
        problems = (*statement.problems[-9:], refusal.problem)
        if in_doubt and refusal.problem.status not in ALWAYS_REFUSED:
            # The answer is cached under the key: after the release the same bytes go under a new one.
            kept, after = statement.but(problems=problems, key_turn=statement.key_turn + 1), feed
            also = [ledger.put_statement(kept)]
        else:
            ended = statement.but(state=StatementState.REFUSED, problems=problems, ended_on=now)
            after = feed.but(flight=None)
            also = [ledger.put_statement(ended), ledger.put_feed(after)]
        hold = holding.hold_feed(
            self.store, self.queues, feed, refusal, company, now, self.new_id, *also
        )  # fmt: skip
        holding.fail_waiting(self.store, after, hold, company, now, self.new_id)

    def _later(self, feed: Feed, statement: StatementRecord, answer: TryLater, in_doubt: bool, now: datetime) -> None:
        """A limit or an outage: nothing was taken by this try. The tenant or the app waits, nobody sleeps."""
        self.store.commit(ledger.put_statement(statement.but(known_unsent=not in_doubt)))
        until = now + timedelta(seconds=answer.seconds)
        subject = {Scope.APP: APP, Scope.TENANT: feed.tenant_id}.get(answer.scope, feed.id)
        put_not_before(self.store, answer.scope, subject, until, now)
        self._wake_at(feed, until)

    def _again(self, feed: Feed, statement: StatementRecord, now: datetime) -> None:
        self.store.commit(ledger.put_statement(statement))
        self._wake_at(feed, now + timedelta(seconds=min(LONGEST_DELAY, 2**statement.attempts)))

    def _wake_at(self, feed: Feed, until: datetime) -> None:
        """A wake-up at that time: through a delayed message, several in a row if the time is far.

        One row for a feed, however often it is rung for while it waits.
        """
        now = self.clock()
        delay = max(1, min(LONGEST_DELAY, int((until - now).total_seconds()) + 1))
        wanted, planned = now + timedelta(seconds=delay), planned_wake(self.store, feed.id)
        if planned is not None and now < planned <= wanted:
            return
        self.queues.check(Check(kind="wake", feed_id=feed.id), delay)
        plan_wake(self.store, feed.id, wanted)
