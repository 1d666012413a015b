"""What the answer to a posted statement means, written down: taken, refused, later, or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from feedlane.clock import iso
from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, Flight, FlightStatus
from feedlane.feeds.upstream import Accepted, AlreadyReceived, Failed, NoAnswer, PostAnswer, Refusal, TryLater
from feedlane.follow_ups import StatementCheck, Wake
from feedlane.holds import placement
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.statements import end as statement_end
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementRecord, StatementState
from feedlane.statements.waits import plan_wake, planned_wake, set_not_before
from feedlane.store.attempts import attempts

FIRST_CHECK_SECONDS = 1
# What a feed's unchanged statement can be refused for, however often it goes: it was not taken before either.
CONTENT_REFUSAL_STATUSES = frozenset({400, 413, 422})


@dataclass(frozen=True)
class NotAtXero:
    """The statement in doubt is none that the upstream has: its lines are cut anew."""


@dataclass(frozen=True)
class AnswerRecorder:
    """What settling needs: the store, the queues, the time and new ids."""

    ports: Ports

    def settle(self, feed_id: str, statement: StatementRecord, answer: PostAnswer | NotAtXero, in_doubt: bool) -> None:
        """Writes down what the answer means. The feed may have grown meanwhile: it is read again until it fits."""
        statement = statement.but(attempts=statement.attempts + 1)
        for attempt in attempts(f"feed {feed_id}"):
            feed = feed_items.find_feed(self.ports.store, feed_id)
            if feed is None:
                return
            if feed.flight is None or feed.flight.number != statement.number:
                # Settled by somebody else, who may have crashed before what follows: a wake-up finds out.
                self.ports.queues.wake(feed_id)
                return
            with attempt:
                self._record_on(feed, statement, answer, in_doubt)

    def _record_on(
        self, feed: Feed, statement: StatementRecord, answer: PostAnswer | NotAtXero, in_doubt: bool
    ) -> None:
        now = self.ports.clock()
        match answer:
            case Accepted():
                self._record_accepted(feed, statement, answer, now)
            case AlreadyReceived():
                # Known line by line, and not listed any more: it arrived long ago.
                statement_end.record_delivered(self.ports, feed, statement, now)
            case NotAtXero():
                ended = statement.but(state=StatementState.REFUSED, ended_on=now)
                self.ports.store.commit(
                    statement_items.put_statement(ended), feed_items.put_feed(feed.but(flight=None))
                )
                self.ports.queues.wake(feed.id)
            case Refusal():
                self._record_refused(feed, statement, answer, in_doubt, now)
            case TryLater():
                self._record_try_later(feed, statement, answer, in_doubt, now)
            case Failed():
                # Its answer is cached under the key: the same bytes go again under a new one.
                self._again(feed, statement.but(key_turn=statement.key_turn + 1, known_unsent=False), now)
            case NoAnswer():
                self._again(feed, statement.but(known_unsent=False), now)
            case _:
                assert_never(answer)

    def _record_accepted(self, feed: Feed, statement: StatementRecord, answer: Accepted, now: datetime) -> None:
        taken = statement.but(state=StatementState.PENDING, upstream_id=answer.statement_id, posted_on=now)
        flight = Flight(
            number=statement.number, first=statement.first, last=statement.last, status=FlightStatus.PENDING
        )
        self.ports.store.commit(statement_items.put_statement(taken), feed_items.put_feed(feed.but(flight=flight)))
        self.ports.queues.follow_up(StatementCheck(feed_id=feed.id, number=statement.number), FIRST_CHECK_SECONDS)

    def _record_refused(
        self, feed: Feed, statement: StatementRecord, refusal: Refusal, in_doubt: bool, now: datetime
    ) -> None:
        """Held. A statement that certainly was not taken is cut anew after the release; one in doubt stays as it is."""
        company = company_items.company(self.ports.store, feed.company_id)
        problems = (*statement.problems[-9:], refusal.problem)
        if in_doubt and not proves_not_taken(refusal):
            # The answer is cached under the key: after the release the same bytes go under a new one.
            kept, after = statement.but(problems=problems, key_turn=statement.key_turn + 1), feed
            also = [statement_items.put_statement(kept)]
        else:
            ended = statement.but(state=StatementState.REFUSED, problems=problems, ended_on=now)
            after = feed.but(flight=None)
            also = [statement_items.put_statement(ended), feed_items.put_feed(after)]
        hold = placement.hold_feed(self.ports,
            feed, refusal, company, now, *also
        )  # fmt: skip
        placement.fail_waiting(self.ports, after, hold, company, now)

    def _record_try_later(
        self, feed: Feed, statement: StatementRecord, answer: TryLater, in_doubt: bool, now: datetime
    ) -> None:
        """A limit or an outage: nothing was taken by this try. The tenant or the app waits, nobody sleeps."""
        self.ports.store.commit(statement_items.put_statement(statement.but(known_unsent=not in_doubt)))
        until = now + timedelta(seconds=answer.seconds)
        subject = {Scope.APP: APP_SUBJECT, Scope.TENANT: feed.tenant_id}.get(answer.scope, feed.id)
        set_not_before(self.ports.store, answer.scope, subject, until, now)
        wake_at(self.ports, self.ports.clock(), feed, until)

    def _again(self, feed: Feed, statement: StatementRecord, now: datetime) -> None:
        self.ports.store.commit(statement_items.put_statement(statement))
        wake_at(
            self.ports,
            self.ports.clock(),
            feed,
            now + timedelta(seconds=min(DELAY_SECONDS_MAX, 2**statement.attempts)),
        )


def proves_not_taken(refusal: Refusal) -> bool:
    """Whether the refusal is for what the statement says. A dead grant is a 400 too: it says nothing of it."""
    return refusal.scope is Scope.FEED and refusal.problem.status in CONTENT_REFUSAL_STATUSES


def wake_at(ports: Ports, now: datetime, feed: Feed, until: datetime) -> None:
    """A wake-up at that time: through a delayed message, several in a row if the time is far.

    One row for a feed, however often it is rung for while it waits.
    """
    delay = max(1, min(DELAY_SECONDS_MAX, int((until - now).total_seconds()) + 1))
    wanted, planned = now + timedelta(seconds=delay), planned_wake(ports.store, feed.id)
    if planned is not None and now < planned <= wanted:
        return
    ports.queues.follow_up(Wake(feed_id=feed.id, at=iso(wanted)), delay)
    plan_wake(ports.store, feed.id, wanted)
