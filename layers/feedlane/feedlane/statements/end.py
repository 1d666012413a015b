"""Records a statement's end: delivered, and its push operations succeed; or refused, for one line or as a whole."""

from __future__ import annotations

from datetime import datetime

from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_end, set_aside_items
from feedlane.feeds.feed import Closing, Feed, FlightStatus
from feedlane.feeds.totals import delivery_writes
from feedlane.feeds.upstream import Refusal
from feedlane.holds import placement
from feedlane.holds.hold import HeldLine
from feedlane.ports import Ports
from feedlane.scope import Scope
from feedlane.statements import items as statement_items
from feedlane.statements.refusal import may_be_one_line
from feedlane.statements.retrying import with_problem
from feedlane.statements.statement import StatementRecord, StatementState
from feedlane.store.due import next_look
from feedlane.store.store import Store
from feedlane.store.table import Write


def record_delivered(ports: Ports, feed: Feed, statement: StatementRecord, now: datetime, *also: Write) -> None:
    """The feed moves past the statement and its operations succeed, in one commit with `also`; lines behind it go next.

    More operations than fit into a commit succeed after it. Raises `ConditionFailed` if the feed has changed.
    """
    ended = statement.found(state=StatementState.DELIVERED, ended_on=now)
    # Lines set aside right behind it are in no statement, whose end could end the operations that wait for them.
    feed = feed.delivered_by(statement.feed_connection_id, statement.last)
    never_sent = set_aside_items.lines_never_sent(ports.store, feed, statement.last)
    delivered = feed.but(flight=None, closing=_closing(feed, statement), delivered_on=now)
    before, after = feed, delivered.delivered(statement.last, never_sent)
    successes = _success_writes(ports, after, now)
    # The feed leaves the due index when nothing is left to do.
    after = after.but(look=next_look(now) if after.waiting or successes is None else None)
    counts = delivery_writes(before, after, now)
    ports.store.commit(
        statement_items.put_statement(ended), feed_items.put_feed(after), *counts, *also, *(successes or ())
    )
    if successes is None:
        finish_delivered(ports, after, now)
    elif after.waiting or after.changing:
        ports.queues.wake(feed.id)


def _closing(feed: Feed, statement: StatementRecord) -> Closing | None:
    """What the feed connection that got it has now: only a delivered statement counts for the next one's opening."""
    if statement.end_balance is None:
        return feed.closing
    return Closing(feed_connection_id=statement.feed_connection_id, balance=statement.end_balance)


def finish_delivered(ports: Ports, feed: Feed, now: datetime) -> None:
    """Wakes the feed if lines wait, or a change of its upstream does, and ends its operations.

    May be repeated, and is after a crash.
    """
    if feed.waiting or feed.changing:
        ports.queues.wake(feed.id)
    company = company_items.company(ports.store, feed.company_id)
    push_operation_end.succeed(ports, feed.id, feed.delivered_through, company, now)


def _success_writes(ports: Ports, feed: Feed, now: datetime) -> list[Write] | None:
    """The writes that end the operations of all lines delivered; None if they are too many for one commit."""
    company = company_items.find_company(ports.store, feed.company_id)
    if company is None:
        return []  # just deleted, with its operations
    return push_operation_end.success_writes(ports, feed.id, feed.delivered_through, company, now)


def record_known_already(ports: Ports, feed: Feed, statement: StatementRecord, now: datetime) -> None:
    """The upstream rejected the statement because it knows every line. The one that brought them is looked for.

    It may be an earlier post of this one; but the upstream may also keep the ids of what it rejected.
    """
    sent = statement.found().but(
        state=StatementState.POSTING,
        upstream_id=None,
        posted_on=None,
        turn=0,
        known_unsent=False,
        known_lines=True,
        rejected_ids=(*statement.rejected_ids[-19:], statement.upstream_id or ""),
    )
    flight = feed.flight.but(status=FlightStatus.POSTING) if feed.flight else None
    after = feed.but(flight=flight, look=next_look(now))
    ports.store.commit(statement_items.put_statement(sent), feed_items.put_feed(after))
    ports.queues.wake(feed.id)


def record_rejected(ports: Ports, feed: Feed, statement: StatementRecord, refusal: Refusal, now: datetime) -> None:
    """The upstream took the statement and rejected it later: none of it was delivered."""
    problems = with_problem(statement, refusal.problem)
    record_refused(
        ports, feed, statement.found(state=StatementState.REJECTED, ended_on=now, problems=problems), refusal, now
    )


def record_refused(ports: Ports, feed: Feed, ended: StatementRecord, refusal: Refusal, now: datetime) -> None:
    """Nothing of the statement was taken. If one of its lines may be to blame, they go again in halves.

    Those before that line are delivered on the way, and the hold names it when it is refused alone. Any other refusal
    holds the feed at once. Where the account has been deleted, nothing goes again, and nobody could release a hold.
    """
    after = feed.undelivered(ended.last).but(look=next_look(now))
    is_of_a_line = may_be_one_line(refusal)
    if is_of_a_line:
        after = after.but(suspect_through=ended.last)
    writes = (statement_items.put_statement(ended), feed_items.put_feed(after))
    if placement.is_deleted(ports.store, feed, Scope.FEED):
        ports.store.commit(*writes)
        company = company_items.company(ports.store, feed.company_id)
        placement.fail_ended_feed(ports, after, refusal.problem, company, now)
        return
    if is_of_a_line and ended.first < ended.last:
        ports.store.commit(*writes)
        ports.queues.wake(feed.id)
        return
    company = company_items.company(ports.store, feed.company_id)
    line = _refused_line(ports.store, ended) if is_of_a_line else None
    hold = placement.hold_feed(ports, feed, refusal, company, now, *writes, line=line)
    placement.fail_waiting(ports, after, hold, company, now)
    if feed.changing:
        ports.queues.wake(feed.id)


def _refused_line(store: Store, statement: StatementRecord) -> HeldLine:
    [line] = feed_items.read_lines(store, statement.feed_id, statement.first, 1)
    return HeldLine(statement.first, line.id)
