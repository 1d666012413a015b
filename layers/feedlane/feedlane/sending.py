"""A feed's waiting lines go to the upstream: one statement at a time, written down before it is posted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from feedlane import ending, holding, mapping, unmapping
from feedlane.clock import Clock, local_date
from feedlane.errors import NotFound
from feedlane.feed import Feed, Flight, FlightStatus
from feedlane.follow_ups import StatementCheck
from feedlane.hold import APP, Scope
from feedlane.ids import NewId, fingerprint
from feedlane.queues import DELAY_SECONDS_MAX, Queues
from feedlane.settling import FIRST_LOOK, NeverTaken, Settler, says_never_taken, wake_at
from feedlane.statement import MOST_LINES, StatementRecord, StatementState, Wait, gathers_until, next_statement
from feedlane.store import keys, ledger, push_operations
from feedlane.store.limits import not_before
from feedlane.store.read_ahead import reading_ahead
from feedlane.store.store import Store
from feedlane.store.traffic import Gate
from feedlane.upstream import (
    AlreadyThere,
    PostAnswer,
    Refusal,
    StatusAnswer,
    TenantAccess,
    Upstream,
)


@dataclass(frozen=True)
class Sender:
    """What sending needs: the store, the queues, the upstream, the time and new ids."""

    store: Store
    queues: Queues
    upstream: Upstream
    clock: Clock
    new_id: NewId
    tell_age: Callable[[timedelta], None] = lambda age: None
    """Is told how old a statement is that the upstream has not taken yet, whenever it is tried again."""

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
        if feed.flight is None and (until := gathers_until(feed, self.clock())):
            wake_at(self.store, self.queues, self.clock(), feed, until)
            return
        if self._must_wait(feed):
            return
        gate, call_id = Gate(self.store), self.new_id()
        seconds = gate.enter(feed.tenant_id, self.clock(), call_id)
        if seconds is not None:
            wake_at(self.store, self.queues, self.clock(), feed, self.clock() + timedelta(seconds=seconds))
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
            answer: PostAnswer | NeverTaken = self._found(access, statement, request) or NeverTaken()
        else:
            answer = self.upstream.post_statement(access, request, key)
        if isinstance(answer, AlreadyThere):
            # Our own intent: an earlier try of these bytes got through. How it ends has yet to be seen.
            answer, in_doubt = self._found(access, statement, request) or answer, True
        elif in_doubt and isinstance(answer, Refusal) and says_never_taken(answer):
            # Dates are judged by the day on which they come: what was taken then can be refused now.
            answer = self._found(access, statement, request) or answer
        Settler(self.store, self.queues, self.clock, self.new_id).settle(feed.id, statement, answer, in_doubt)

    def _found(self, access: TenantAccess, statement: StatementRecord, request: bytes) -> StatusAnswer | None:
        return self.upstream.find_statement(access, request, ledger.delivered_ids(self.store, statement))

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
        self._tell_if_held(feed, self.store)
        flight = feed.flight
        statement = ledger.statement(self.store, feed.id, flight.number) if flight else None
        if statement is not None and statement.state is StatementState.PENDING and statement.turn == 0:
            self.queues.follow_up(StatementCheck(feed_id=feed.id, number=statement.number), FIRST_LOOK)

    def _must_wait(self, feed: Feed) -> bool:
        """Whether a hold, the settings, a missing mapping or a rate limit forbids sending now."""
        limits = [(Scope.APP, APP), (Scope.TENANT, feed.tenant_id), (Scope.FEED, feed.id)]
        ahead = reading_ahead(
            self.store,
            [
                keys.SETTINGS,
                keys.source_account(feed.connection_id, feed.account_id),
                *(keys.hold(*subject) for subject in feed.holdable),
                *(keys.limit(*subject) for subject in limits),
            ],
        )
        if self._tell_if_held(feed, ahead):
            return True
        now = self.clock()
        settings = ahead.settings()
        if not (settings.enabled and settings.bank_feeds):
            return True
        if not feed.feed_connection_id:
            unmapping.tell_unmapped(self.store, feed, now, self.new_id)
            return True
        if mapping.is_connecting(ahead, feed):
            return True
        until = not_before(ahead, limits)
        if until is None or until <= now:
            return False
        wake_at(self.store, self.queues, self.clock(), feed, until)
        return True

    def _tell_if_held(self, feed: Feed, ahead: Store) -> bool:
        holds = ahead.holds_on(feed.holdable)
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
            wake_at(self.store, self.queues, self.clock(), feed, now + timedelta(seconds=DELAY_SECONDS_MAX))
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
        # What comes behind it is gathered anew.
        gathering = feed.gathering.but(since=now) if feed.gathering else None
        after = feed.but(flight=flight, statements=number, gathering=gathering)
        self.store.commit(ledger.put_feed(after), *writes)
        return statement.but(version=1), request, False

    def _resume(self, feed: Feed) -> tuple[StatementRecord | None, bytes, bool]:
        """The statement that was written down and perhaps posted, with the very bytes it had.

        Its version rises: whoever posted it before and still waits for the answer can no longer settle it.
        """
        number = feed.flight.number if feed.flight else 0
        statement = ledger.statement(self.store, feed.id, number)
        if statement is None:
            return None, b"", False
        self.tell_age(self.clock() - statement.created)
        request = ledger.statement_request(self.store, statement)
        in_doubt = not statement.known_unsent
        statement = statement.but(known_unsent=False)
        self.store.commit(ledger.put_statement(statement))
        return statement.but(version=statement.version + 1), request, in_doubt
