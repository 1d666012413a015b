"""Resolves a statement in doubt that was reported: an operator says what became of it.

"delivered" is trusted. "notDelivered" is not, where Xero took the statement and never ended it: the same bytes are sent
again under a new Idempotency-Key. If Xero has the lines after all, it knows them by their ids and reports a duplicate.
So the lines are never cut again there. Through Codat, whose list shows what never ended, that push is not looked for
any more: once the list shows no other, the lines are cut again, under the same ids.

One that Xero has never confirmed (it answers 500, or not at all) would only be answered like that again. Its lines are
cut again, without those to be set aside, but not before Xero's list has been searched for it.

Where Xero says that it knows every line and shows none, only the operator can tell, who looks into the account. Then
"notDelivered" is trusted too, and the lines are sent under other ids, because Xero would drop those that it knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from feedlane.companies import items as company_items
from feedlane.errors import Conflict, Invalid, NotFound
from feedlane.events.outbox import put_event
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, FlightStatus
from feedlane.follow_ups import Wake
from feedlane.holds.setting_aside import waiting_numbers, with_lines_set_aside
from feedlane.ports import Ports
from feedlane.queues import SAFETY_DELAY_SECONDS
from feedlane.statements import end as statement_end
from feedlane.statements import events as statement_events
from feedlane.statements import items as statement_items
from feedlane.statements.statement import Doubt, StatementRecord, StatementState
from feedlane.store.attempts import attempts
from feedlane.store.due import next_look
from feedlane.store.store import Store
from feedlane.store.table import Write

_PARTLY_THERE = (
    "Xero has {} of the statement's {} transactions, so it is not sent again. Add what is missing in Xero by hand, "
    "and resolve it as delivered."
)


class Resolution(StrEnum):
    DELIVERED = "delivered"
    NOT_DELIVERED = "notDelivered"


def resolve(
    ports: Ports, now: datetime, feed_id: str, number: int, outcome: Resolution, set_aside: Sequence[str] = ()
) -> Feed:
    """Resolves the feed's stuck statement `number`, in one commit with an event. Returns the feed.

    `set_aside` names transactions of a statement not delivered that are never to be sent. Raises `NotFound`, `Invalid`,
    and `Conflict` if this statement is not in flight, Xero may still end it, or took it and nothing can be set aside.
    """
    has_changed = Conflict("The feed is being changed; try again.")
    for attempt in attempts(f"feed {feed_id}", otherwise=has_changed):
        feed, statement = _find_stuck(ports.store, feed_id, number)
        if statement.doubt is Doubt.LINES_MISSING and outcome is Resolution.NOT_DELIVERED:
            raise Conflict(_PARTLY_THERE.format(statement.lines_there, statement.line_count))
        ports.queues.follow_up(Wake(feed_id=feed_id), SAFETY_DELAY_SECONDS)
        numbers = _numbers_set_aside(ports.store, feed, statement, outcome, set_aside)
        resolved = statement.but(resolved_as=outcome.value, set_aside=numbers)
        company = company_items.company(ports.store, feed.company_id)
        event = put_event(statement_events.statement_resolved(ports, feed, resolved, company, now, set_aside))
        with attempt:  # the feed may grow, or Xero may end the statement, at the same time
            if outcome is Resolution.DELIVERED:
                statement_end.record_delivered(ports, feed, resolved, now, event)
            elif statement.doubt is Doubt.NOT_CONFIRMED:
                _look_and_cut_again(ports, feed, resolved, event)
            else:
                _send_again(ports, feed, resolved, event, now)
    return feed_items.find_feed(ports.store, feed_id) or feed


def _find_stuck(store: Store, feed_id: str, number: int) -> tuple[Feed, StatementRecord]:
    feed, statement = feed_items.find_feed(store, feed_id), statement_items.find_statement(store, feed_id, number)
    if feed is None:
        raise NotFound("feed", feed_id)
    if statement is None:
        raise NotFound("statement", str(number))
    is_in_flight = feed.flight is not None and feed.flight.number == number
    if not is_in_flight:
        raise Conflict(f"Statement {number} is not under way any more (it is {statement.state}).")
    if not statement.stuck:
        raise Conflict(f"Xero may still finish statement {number}: it counts as stuck after 24 hours.")
    return feed, statement


def _numbers_set_aside(
    store: Store, feed: Feed, statement: StatementRecord, outcome: Resolution, ids: Sequence[str]
) -> tuple[int, ...]:
    """The numbers of these transactions' lines, all of which are in the statement."""
    if not ids:
        return ()
    if outcome is Resolution.DELIVERED:
        raise Invalid.field("setAside", "what was delivered cannot be set aside", "Outcome")
    if statement.state is not StatementState.POSTING:
        raise Conflict(f"Xero took statement {statement.number}: set aside what it rejects, once it says so.")
    numbers = waiting_numbers(store, feed, ids)
    for id, number in numbers.items():
        if not statement.first <= number <= statement.last:
            raise Invalid.field(f"setAside.{id}", f"is not in statement {statement.number}", "Statement")
    return tuple(sorted(numbers.values()))


def _look_and_cut_again(ports: Ports, feed: Feed, statement: StatementRecord, event: Write) -> None:
    """The sender does both at its next turn: a search may take longer than the API's caller waits."""
    to_look = statement.but(recut=True, again=None)
    after = feed.but(look=next_look(ports.clock()))
    ports.store.commit(statement_items.put_statement(to_look), feed_items.put_feed(after), event)
    ports.queues.wake(feed.id)


def _send_again(ports: Ports, feed: Feed, statement: StatementRecord, event: Write, now: datetime) -> None:
    """The same bytes; or the lines under other ids, if Xero drops them under those that it knows."""
    if statement.doubt is Doubt.DUPLICATE:
        lines = statement_items.lines_set_aside(ports.store, statement, now)
        ended = statement.found(state=StatementState.REFUSED, ended_on=now)
        after = feed.undelivered(statement.last).but(id_turn=feed.id_turn + 1, look=next_look(now))
        after, pages = with_lines_set_aside(after, lines)
        ports.store.commit(statement_items.put_statement(ended), feed_items.put_feed(after), event, *pages)
        ports.queues.wake(feed.id)
        return
    unsent = statement.found(
        state=StatementState.POSTING,
        key_turn=statement.key_turn + 1,
        known_unsent=False,
        given_up_ids=(*statement.given_up_ids[-19:], *filter(None, [statement.upstream_id])),
        upstream_id=None,
        posted_on=None,
        turn=0,
    )
    flight = feed.flight.but(status=FlightStatus.POSTING) if feed.flight else None
    after = feed.but(flight=flight, look=next_look(now))
    ports.store.commit(statement_items.put_statement(unsent), feed_items.put_feed(after), event)
    ports.queues.wake(feed.id)
