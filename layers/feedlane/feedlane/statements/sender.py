"""Sends a feed's waiting lines to the upstream: one statement at a time, written down before it is posted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from feedlane.companies import items as company_items
from feedlane.errors import NotFound
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_end, push_operation_items
from feedlane.feeds.feed import Feed, FlightStatus
from feedlane.feeds.gathering import gathers_until
from feedlane.feeds.upstream import AlreadyReceived, NoAnswer, Refusal, Upstream
from feedlane.follow_ups import StatementCheck, UpstreamChangeCheck
from feedlane.holds import items as hold_items
from feedlane.holds import placement
from feedlane.ids import fingerprint
from feedlane.mapping import again, mapping, unmapping, upstream_ended
from feedlane.ports import Ports
from feedlane.settings import items as settings_items
from feedlane.settings.settings import Settings
from feedlane.statements import in_flight
from feedlane.statements import items as statement_items
from feedlane.statements.answer import Answer, AnswerRecorder, NotAtXero
from feedlane.statements.doubt import (
    DoubtfulStatement,
    NotListed,
    access_of,
    is_known_by_key,
    is_only_looked_for,
    is_replaced,
    proves_not_listed,
)
from feedlane.statements.gate import Gate, gate_keys
from feedlane.statements.intent import cut, resume
from feedlane.statements.limits import Lane
from feedlane.statements.poll import FIRST_CHECK_SECONDS
from feedlane.statements.refusal import proves_not_taken
from feedlane.statements.statement import Doubt, StatementRecord, StatementState
from feedlane.statements.waits import not_before, schedule_wake, wait_keys
from feedlane.store import keys
from feedlane.store.read_ahead import with_read_ahead
from feedlane.store.store import Store


@dataclass(frozen=True)
class Sender:
    """Sends statements. `AnswerRecorder` records what the upstream answers; `StatementFollower` polls for the end."""

    ports: Ports
    upstream: Upstream
    record_age: Callable[[timedelta], None] = lambda age: None
    """Called at each retry with the age of a statement that the upstream has not yet taken."""

    def send(self, feed_id: str) -> None:
        """Sends the feed's next statement, or the one in doubt again. Does nothing if there is nothing to send.

        Raises `ConditionFailed` if the feed changed at the same time: the wake-up must be retried.
        """
        feed = feed_items.find_feed(self.ports.store, feed_id)
        if feed is None:
            return
        try:
            self._send(feed)
        except NotFound as missing:
            if missing.what != "company":
                raise
            # The company was deleted in between: there is nothing to send and no operation to fail.

    def _send(self, feed: Feed) -> None:
        if feed.flight is not None and feed.flight.status is FlightStatus.PENDING:
            self._check_flight(feed)
            return
        if feed.changing and self._stops(feed):
            return
        if not feed.waiting:
            self._finish(feed)
            return
        if feed.flight is None and (until := gathers_until(feed, self.ports.clock())):
            schedule_wake(self.ports, feed, until)
            return
        ahead = self._read_ahead(feed)
        settings = self._settings_to_send(feed, ahead)
        if settings is None or self._looks_again_later(feed):
            return
        gate, call_id = Gate(self.ports), self.ports.new_id()
        wait_seconds = gate.enter(feed, Lane.POSTS, call_id, ahead)
        if wait_seconds is not None:
            schedule_wake(self.ports, feed, self.ports.clock() + timedelta(seconds=wait_seconds))
            return
        try:
            self._post(feed, settings)
        finally:
            gate.leave(feed.tenant_id, call_id)

    def _stops(self, feed: Feed) -> bool:
        """While its upstream changes, the feed sends nothing new; once nobody seems to map its account, it is held.

        False: it may have sent something, and its end is still to be found out."""
        if feed.flight is not None:
            is_back = in_flight.take_back(self.ports, feed)
            if is_back:
                self.ports.queues.wake(feed.id)
            return is_back
        is_held = self._fail_if_held(feed, self.ports.store)
        if not feed.waiting:
            self._finish(feed)
        elif not is_held and upstream_ended.is_left_unmapped(self.ports.store, feed, self.ports.clock()):
            unmapping.hold_unmapped(self.ports, feed, self.ports.clock())
        if feed.tenant_id:  # the change waits for this
            check = UpstreamChangeCheck(company_id=feed.company_id, connection_id=feed.connection_id)
            self.ports.queues.follow_up(check, 0)
        return True

    def _check_flight(self, feed: Feed) -> None:
        """The upstream has the statement. Schedules the first check if the sender crashed before it did.

        Lines behind the statement may be held by now: their operations fail.
        """
        self._fail_if_held(feed, self.ports.store)
        flight = feed.flight
        statement = statement_items.find_statement(self.ports.store, feed.id, flight.number) if flight else None
        if statement is not None and statement.state is StatementState.PENDING and statement.turn == 0:
            self.ports.queues.follow_up(StatementCheck(feed_id=feed.id, number=statement.number), FIRST_CHECK_SECONDS)

    def _finish(self, feed: Feed) -> None:
        """Every line is delivered or set aside. Ends operations that a crash or a release left open."""
        if feed.recorded_through > feed.delivered_through:
            feed = feed.all_passed()
            self.ports.store.commit(feed_items.put_feed(feed))
        if push_operation_items.open_operations(self.ports.store, feed.id, through=feed.delivered_through):
            company = company_items.company(self.ports.store, feed.company_id)
            push_operation_end.succeed(self.ports, feed.id, feed.delivered_through, company, self.ports.clock())

    def _read_ahead(self, feed: Feed) -> Store:
        """In one request, what it is decided on whether the feed may send now."""
        return with_read_ahead(
            self.ports.store,
            {
                keys.source_account(feed.connection_id, feed.account_id),
                keys.connection(feed.company_id, feed.connection_id),
                *(keys.hold(*subject) for subject in feed.hold_subjects),
                *wait_keys(feed, Lane.POSTS),
                *gate_keys(feed, Lane.POSTS),
            },
        )

    def _settings_to_send(self, feed: Feed, ahead: Store) -> Settings | None:
        """The settings, or None if they, a hold, a missing mapping or a rate limit forbid sending now."""
        if self._fail_if_held(feed, ahead):
            return None
        now = self.ports.clock()
        settings = settings_items.settings(ahead)
        if not (settings.enabled and settings.bank_feeds):
            return None
        if mapping.is_connecting(ahead, feed):
            return None
        if not feed.feed_connection_id:
            self._supersede_sender(feed)
            unmapping.hold_unmapped(self.ports, feed, now)
            return None
        if again.is_unlinked(ahead, feed):
            self._supersede_sender(feed)
            again.hold_waiting(self.ports, now, feed)
            return None
        until = not_before(ahead, wait_keys(feed, Lane.POSTS))
        if until is None or until <= now:
            return settings
        schedule_wake(self.ports, feed, until)
        return None

    def _looks_again_later(self, feed: Feed) -> bool:
        """Whether the statement in flight is looked for in the upstream's list, and not again before some time."""
        if feed.flight is None:
            return False
        statement = statement_items.find_statement(self.ports.store, feed.id, feed.flight.number)
        if statement is None or statement.again is None or statement.again <= self.ports.clock():
            return False
        schedule_wake(self.ports, feed, statement.again)
        return True

    def _fail_if_held(self, feed: Feed, ahead: Store) -> bool:
        """Fails the operations that a hold stops. Returns whether the feed is held."""
        holds = hold_items.holds_on(ahead, feed.hold_subjects)
        if holds:
            self._supersede_sender(feed)
            company = company_items.company(self.ports.store, feed.company_id)
            placement.fail_waiting(self.ports, feed, holds[0], company, self.ports.clock())
        return bool(holds)

    def _supersede_sender(self, feed: Feed) -> None:
        """A sender that still waits for the answer about the statement in flight can no longer record it.

        Its operations are about to fail. If it recorded an acceptance after that, the lines would be delivered and no
        operation would report them: instead the release starts one, and finds the statement at the upstream.
        """
        if feed.flight is None or feed.flight.status is not FlightStatus.POSTING:
            return
        statement = statement_items.find_statement(self.ports.store, feed.id, feed.flight.number)
        if statement is not None:
            self.ports.store.commit(statement_items.put_statement(statement), feed_items.feed_unchanged(feed))

    def _post(self, feed: Feed, settings: Settings) -> None:
        """Cuts only when posting is allowed: the longer Xero's limits delay a statement, the fuller it gets."""
        if feed.flight:
            intent = resume(self.ports, feed, self.record_age)
        else:
            intent = cut(self.ports, self.upstream, feed, settings)
        if intent is None:
            return
        AnswerRecorder(self.ports).record(feed.id, *self._answer(feed, *intent))

    def _answer(
        self, feed: Feed, statement: StatementRecord, request: bytes, in_doubt: bool
    ) -> tuple[StatementRecord, Answer, bool]:
        """Posts the statement, or looks for it where a post can tell nothing. Returns whether it is in doubt then."""
        if is_replaced(feed, statement) and not in_doubt:
            return statement, NotAtXero(), False
        if is_only_looked_for(feed, statement):
            return *self._look(feed, statement, request), True
        if in_doubt and self.upstream.key_memory(access_of(feed)) is not None:
            # It would not know the lines again: what may be there is looked for before it goes again.
            statement, found = self._look(feed, statement, request)
            is_unseen = isinstance(found, NotListed | NoAnswer)
            if not (is_unseen and is_known_by_key(feed, statement, self.upstream, self.ports.clock())):
                return statement.but(doubt=None) if isinstance(found, NotListed) else statement, found, True
        elif statement.doubt is Doubt.NOT_CONFIRMED and statement.unlisted_since is None:
            # What was posted for a day in vain may be there all the same: we look before it goes again.
            statement, found = self._look(feed, statement, request)
            if not isinstance(found, NotListed):
                return statement, found, True
        return self._post_request(feed, statement, request, in_doubt)

    def _post_request(
        self, feed: Feed, statement: StatementRecord, request: bytes, in_doubt: bool
    ) -> tuple[StatementRecord, Answer, bool]:
        key = fingerprint(f"{feed.id}#{statement.number}#{statement.key_turn}")
        answer = self.upstream.post_statement(access_of(feed), request, key)
        if isinstance(answer, AlreadyReceived):
            # An earlier post of these bytes arrived, or Xero kept the ids of what it rejected: the list shows which.
            known = statement.but(known_lines=True, rejected_ids=_with_id(statement.rejected_ids, answer.statement_id))
            return *self._look(feed, known, request), True
        if in_doubt and isinstance(answer, Refusal) and proves_not_taken(answer):
            # Xero judges dates by the day of arrival: it may refuse now what it took earlier.
            looked, found = self._look(feed, statement, request)
            if not isinstance(found, NotListed):
                return looked, found, True
            in_doubt = not proves_not_listed(looked, found.began)
            return looked.but(unlisted_since=looked.unlisted_since or found.began), answer, in_doubt
        return statement, answer, in_doubt or (isinstance(answer, Refusal) and answer.in_doubt)

    def _look(self, feed: Feed, statement: StatementRecord, request: bytes) -> tuple[StatementRecord, Answer]:
        return DoubtfulStatement(self.ports, self.upstream, feed, statement, request).look()


def _with_id(ids: tuple[str, ...], id: str | None) -> tuple[str, ...]:
    return (*ids[-19:], id) if id and id not in ids else ids
