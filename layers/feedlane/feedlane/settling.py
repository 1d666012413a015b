"""What the answer to a posted statement means, written down: taken, refused, later, or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from feedlane import holding, statement_end
from feedlane.clock import Clock, iso
from feedlane.feed import Feed, Flight, FlightStatus
from feedlane.follow_ups import StatementCheck, Wake
from feedlane.hold import APP, Scope
from feedlane.ids import NewId
from feedlane.queues import DELAY_SECONDS_MAX, Queues
from feedlane.statement import StatementRecord, StatementState
from feedlane.store import ledger
from feedlane.store.attempts import attempts
from feedlane.store.limits import plan_wake, planned_wake, put_not_before
from feedlane.store.store import Store
from feedlane.upstream import Accepted, AlreadyThere, Failed, NoAnswer, PostAnswer, Refusal, TryLater

FIRST_LOOK = 1
# What a feed's unchanged statement can be refused for, however often it goes: it was not taken before either.
ALWAYS_REFUSED = frozenset({400, 413, 422})


@dataclass(frozen=True)
class NeverTaken:
    """The statement in doubt is none that the upstream has: its lines are cut anew."""


@dataclass(frozen=True)
class Settler:
    """What settling needs: the store, the queues, the time and new ids."""

    store: Store
    queues: Queues
    clock: Clock
    new_id: NewId

    def settle(self, feed_id: str, statement: StatementRecord, answer: PostAnswer | NeverTaken, in_doubt: bool) -> None:
        """Writes down what the answer means. The feed may have grown meanwhile: it is read again until it fits."""
        statement = statement.but(attempts=statement.attempts + 1)
        for attempt in attempts(f"feed {feed_id}"):
            feed = ledger.find_feed(self.store, feed_id)
            if feed is None:
                return
            if feed.flight is None or feed.flight.number != statement.number:
                # Settled by somebody else, who may have crashed before what follows: a wake-up finds out.
                self.queues.wake(feed_id)
                return
            with attempt:
                self._settle_on(feed, statement, answer, in_doubt)

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
        self.queues.follow_up(StatementCheck(feed_id=feed.id, number=statement.number), FIRST_LOOK)

    def _refused(self, feed: Feed, statement: StatementRecord, refusal: Refusal, in_doubt: bool, now: datetime) -> None:
        """Held. A statement that certainly was not taken is cut anew after the release; one in doubt stays as it is."""
        company = self.store.company(feed.company_id)
        problems = (*statement.problems[-9:], refusal.problem)
        if in_doubt and not says_never_taken(refusal):
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
        wake_at(self.store, self.queues, self.clock(), feed, until)

    def _again(self, feed: Feed, statement: StatementRecord, now: datetime) -> None:
        self.store.commit(ledger.put_statement(statement))
        wake_at(
            self.store,
            self.queues,
            self.clock(),
            feed,
            now + timedelta(seconds=min(DELAY_SECONDS_MAX, 2**statement.attempts)),
        )


def says_never_taken(refusal: Refusal) -> bool:
    """Whether the refusal is for what the statement says. A dead grant is a 400 too: it says nothing of it."""
    return refusal.scope is Scope.FEED and refusal.problem.status in ALWAYS_REFUSED


def wake_at(store: Store, queues: Queues, now: datetime, feed: Feed, until: datetime) -> None:
    """A wake-up at that time: through a delayed message, several in a row if the time is far.

    One row for a feed, however often it is rung for while it waits.
    """
    delay = max(1, min(DELAY_SECONDS_MAX, int((until - now).total_seconds()) + 1))
    wanted, planned = now + timedelta(seconds=delay), planned_wake(store, feed.id)
    if planned is not None and now < planned <= wanted:
        return
    queues.follow_up(Wake(feed_id=feed.id, at=iso(wanted)), delay)
    plan_wake(store, feed.id, wanted)
