"""Records what the answer to a posted statement means: accepted, refused, to be retried, or not at Xero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from feedlane.companies import items as company_items
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, Flight, FlightStatus
from feedlane.feeds.upstream import Accepted, Failed, NoAnswer, Refusal, TryLater
from feedlane.follow_ups import StatementCheck
from feedlane.holds import placement
from feedlane.holds.setting_aside import with_lines_set_aside
from feedlane.ports import Ports
from feedlane.statements import end as statement_end
from feedlane.statements import events as statement_events
from feedlane.statements import items as statement_items
from feedlane.statements.doubt import (
    LISTED_WITHIN,
    LOOK_AGAIN_ONCE_TOLD,
    NotListed,
    SearchFailed,
    Searching,
    is_only_looked_for,
    is_replaced,
    not_listed,
    proves_not_listed,
)
from feedlane.statements.poll import FIRST_CHECK_SECONDS
from feedlane.statements.refusal import may_be_one_line
from feedlane.statements.retrying import record_retry, with_problem
from feedlane.statements.statement import Doubt, StatementRecord, StatementState
from feedlane.statements.waits import growing, record_wait, schedule_wake
from feedlane.store.attempts import attempts
from feedlane.store.due import next_look
from feedlane.store.table import Write


@dataclass(frozen=True)
class NotAtXero:
    """The upstream does not have the statement: its lines are cut again."""


Answer = Accepted | Refusal | TryLater | Failed | NoAnswer | Searching | NotListed | SearchFailed | NotAtXero


@dataclass(frozen=True)
class AnswerRecorder:
    """Records the answers that `Sender` gets to its posts."""

    ports: Ports

    def record(self, feed_id: str, statement: StatementRecord, answer: Answer, in_doubt: bool) -> None:
        """Records what the answer means. The feed may grow at the same time: it is read again until the commit fits."""
        statement = statement.but(attempts=statement.attempts + 1)
        for attempt in attempts(f"feed {feed_id}"):
            feed = feed_items.find_feed(self.ports.store, feed_id)
            if feed is None:
                return
            if feed.flight is None or feed.flight.number != statement.number:
                # Another sender recorded it, and may have crashed before the next step: a wake-up catches up.
                self.ports.queues.wake(feed_id)
                return
            with attempt:
                self._record_on(feed, statement, answer, in_doubt)

    def _record_on(self, feed: Feed, statement: StatementRecord, answer: Answer, in_doubt: bool) -> None:
        now = self.ports.clock()
        match answer:
            case Accepted():
                self._record_accepted(feed, statement, answer, now)
            case Searching(until=until):
                self._record_again(feed, statement.but(again=until), until)
            case NotListed(began=began):
                self._record_not_listed(feed, statement, began, now)
            case NotAtXero():
                self._record_not_at_xero(feed, statement, now)
            case Refusal():
                self._record_refused(feed, statement, answer, in_doubt, now)
            case TryLater():
                self._record_try_later(feed, statement, answer, in_doubt, now)
            case Failed(problem=problem):
                # Xero keeps its answer under the key: the same bytes are sent under a new one.
                record_retry(self.ports, feed, statement.but(key_turn=statement.key_turn + 1), problem, now)
            case NoAnswer():
                record_retry(self.ports, feed, statement, None, now)
            case SearchFailed(problem=problem):
                record_retry(self.ports, feed, statement, problem, now, is_search=True)
            case _:
                assert_never(answer)

    def _record_accepted(self, feed: Feed, statement: StatementRecord, answer: Accepted, now: datetime) -> None:
        pending = statement.found(state=StatementState.PENDING, upstream_id=answer.statement_id, posted_on=now)
        flight = Flight(
            number=statement.number, first=statement.first, last=statement.last, status=FlightStatus.PENDING
        )
        after = feed.but(flight=flight, look=next_look(now))
        self.ports.store.commit(statement_items.put_statement(pending), feed_items.put_feed(after))
        self.ports.queues.follow_up(StatementCheck(feed_id=feed.id, number=statement.number), FIRST_CHECK_SECONDS)

    def _record_not_listed(self, feed: Feed, statement: StatementRecord, began: datetime, now: datetime) -> None:
        """What the list does not show, Xero does not have, unless it says that it knows the lines: then nothing shows
        that they arrived. That is told once, and the statement waits for the list, or for an operator."""
        is_proved, after = proves_not_listed(statement, began), not_listed(statement, began, now)
        if statement.doubt is Doubt.NOT_CONFIRMED and not is_only_looked_for(feed, statement):
            # It was looked for before it goes again.
            self._record_again(feed, after.but(again=now), now)
        elif not is_proved:
            # Once it was told, it can be resolved at any time.
            doubt = after.doubt or (Doubt.NOT_CONFIRMED if after.stuck else None)
            self._record_again(feed, after.but(doubt=doubt), after.again or now)
        elif not statement.known_lines:
            self._record_not_there(feed, statement, now)
        else:
            again, told = now + LOOK_AGAIN_ONCE_TOLD, after.but(stuck=True, doubt=Doubt.DUPLICATE)
            also: list[Write] = []
            if not statement.stuck or statement.doubt is not Doubt.DUPLICATE:  # what was told before asks for less
                company = company_items.company(self.ports.store, feed.company_id)
                also.append(put_event(statement_events.statement_stuck(self.ports, feed, told, company, now)))
            self._record_again(feed, told.but(again=again), again, *also)

    def _record_not_there(self, feed: Feed, statement: StatementRecord, now: datetime) -> None:
        """It goes again as it is, so that what fails for a day is told, however often a search proves something.

        It is cut again if an operator says so, or if it is for an earlier feed connection.
        """
        if statement.recut or is_replaced(feed, statement):
            self._record_not_at_xero(feed, statement, now)
            return
        known = {"known_unsent": True, "search": None, "unlisted_since": None, "again": None}
        self.ports.store.commit(statement_items.put_statement(statement.but(key_turn=statement.key_turn + 1, **known)))
        self.ports.queues.wake(feed.id)

    def _record_not_at_xero(self, feed: Feed, statement: StatementRecord, now: datetime) -> None:
        ended = statement.found(state=StatementState.REFUSED, ended_on=now)
        after, pages = feed.undelivered(statement.last).but(look=next_look(now)), list[Write]()
        if statement.recut:
            # Perhaps Xero fails at one of its lines: they go in halves.
            lines = statement_items.lines_set_aside(self.ports.store, statement, now)
            after, pages = with_lines_set_aside(after.but(suspect_through=statement.last), lines)
        self.ports.store.commit(statement_items.put_statement(ended), feed_items.put_feed(after), *pages)
        self.ports.queues.wake(feed.id)

    def _record_refused(
        self, feed: Feed, statement: StatementRecord, refusal: Refusal, in_doubt: bool, now: datetime
    ) -> None:
        """Holds what the refusal stops. A statement surely not taken is cut again after the release.

        One in doubt stays as it is. The alert does not wait for the doubt's end.
        """
        refused = statement.but(problems=with_problem(statement, refusal.problem))
        if not in_doubt:
            ended = refused.found(state=StatementState.REFUSED, ended_on=now)
            statement_end.record_refused(self.ports, feed, ended, refusal, now)
            return
        # Xero keeps its answer under the key: after the release the same bytes are sent under a new one.
        kept = refused.but(key_turn=statement.key_turn + 1)
        if may_be_one_line(refusal):
            # Soon a search proves that it did not arrive, and its lines can go in halves.
            again = (statement.unlisted_since or now) + LISTED_WITHIN
            self._record_again(feed, kept.but(again=again), again)
            return
        company = company_items.company(self.ports.store, feed.company_id)
        hold = placement.hold_feed(self.ports, feed, refusal, company, now, statement_items.put_statement(kept))
        placement.fail_waiting(self.ports, feed, hold, company, now)

    def _record_try_later(
        self, feed: Feed, statement: StatementRecord, answer: TryLater, in_doubt: bool, now: datetime
    ) -> None:
        """A rate limit or an outage: this post was not taken. The feed is woken when the wait is over."""
        outages = statement.outages + answer.is_outage
        key_turn = statement.key_turn + answer.key_is_spent
        waiting = statement.but(known_unsent=not in_doubt, outages=outages, key_turn=key_turn)
        self.ports.store.commit(statement_items.put_statement(waiting))
        wait = growing(answer, outages)
        schedule_wake(self.ports, feed, record_wait(self.ports.store, feed, wait, now))

    def _record_again(self, feed: Feed, statement: StatementRecord, until: datetime, *also: Write) -> None:
        self.ports.store.commit(statement_items.put_statement(statement), *also)
        schedule_wake(self.ports, feed, until)
