"""What a feed sends next: a statement, cut from its waiting lines or in flight already, written down with its bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from feedlane.clock import local_date
from feedlane.feeds import items as feed_items
from feedlane.feeds import set_aside_items
from feedlane.feeds.feed import Feed, Flight, FlightStatus
from feedlane.feeds.upstream import STATEMENT_LINES_MAX, Upstream
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX
from feedlane.settings.settings import Settings, rules_for
from feedlane.statements import items as statement_items
from feedlane.statements.doubt import access_of, is_only_looked_for
from feedlane.statements.statement import StatementRecord, Wait, next_statement
from feedlane.statements.waits import schedule_wake
from feedlane.store.due import next_look


class Intent(NamedTuple):
    """A statement that is written down, with its exact bytes. `in_doubt`: an earlier post may have arrived."""

    statement: StatementRecord
    request: bytes
    in_doubt: bool


def cut(ports: Ports, upstream: Upstream, feed: Feed, settings: Settings) -> Intent | None:
    """Cuts the next statement and writes its exact bytes down, before they are posted. None: none may go now.

    Its balances are settled here for good, also those that are computed.
    """
    now = ports.clock()
    never_sent = set_aside_items.lines_never_sent(ports.store, feed)
    first = feed.passed_through(never_sent) + 1
    count = min(STATEMENT_LINES_MAX, feed.recorded_through - first + 1)
    lines = feed_items.read_lines(ports.store, feed.id, first, count)
    today, synthetic = local_date(now, feed.time_zone), rules_for(settings, feed).synthetic_balances
    access = access_of(feed)
    next_cut = next_statement(feed, lines, today, partial(upstream.line_bytes, access), never_sent, synthetic)
    if next_cut is None:
        return None
    if isinstance(next_cut, Wait):
        schedule_wake(ports, feed, now + timedelta(seconds=DELAY_SECONDS_MAX))
        return None
    number, sent_date = feed.statements + 1, max(feed.sent_date, next_cut.statement.end_date.isoformat())
    statement = StatementRecord(
        feed_id=feed.id,
        number=number,
        first=next_cut.first,
        last=next_cut.last,
        start_date=next_cut.statement.start_date.isoformat(),
        end_date=next_cut.statement.end_date.isoformat(),
        sent_date=sent_date,
        start_balance=next_cut.statement.start_balance,
        end_balance=next_cut.statement.end_balance,
        feed_connection_id=next_cut.statement.feed_connection_id,
        created=now,
    )
    request = upstream.request_bytes(access, next_cut.statement)
    flight = Flight(number=number, first=next_cut.first, last=next_cut.last, status=FlightStatus.POSTING)
    writes = statement_items.add_statement(statement, request)
    # Lines behind this statement start gathering again.
    gathering = feed.gathering.but(since=now) if feed.gathering else None
    after = feed.but(flight=flight, statements=number, sent_date=sent_date, gathering=gathering, look=next_look(now))
    ports.store.commit(feed_items.put_feed(after), *writes)
    return Intent(statement.but(version=1), request, in_doubt=False)


def resume(ports: Ports, feed: Feed, record_age: Callable[[timedelta], None]) -> Intent | None:
    """The statement in flight, which was written down and perhaps posted, with its exact bytes.

    Its version rises, so that a sender still waiting for an earlier answer can no longer record it. Raises
    `ConditionFailed` if that one has recorded it since the feed was read: what Xero has refused would go again, even
    while an operator sets its lines aside.
    """
    number = feed.flight.number if feed.flight else 0
    statement = statement_items.find_statement(ports.store, feed.id, number)
    if statement is None:
        return None
    record_age(ports.clock() - statement.created)
    request = statement_items.statement_request(ports.store, statement)
    in_doubt = not statement.known_unsent
    statement = statement.but(known_unsent=False)
    # Should no answer to this post be recorded, what a search did not find before may be there now.
    posting = statement if is_only_looked_for(feed, statement) else statement.but(unlisted_since=None)
    ports.store.commit(statement_items.put_statement(posting), feed_items.feed_unchanged(feed))
    return Intent(statement.but(version=statement.version + 1), request, in_doubt)
