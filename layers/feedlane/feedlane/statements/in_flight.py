"""What a change of the upstream has to know of the statement in flight: is it in doubt, can it be taken back?"""

from __future__ import annotations

from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed, FlightStatus
from feedlane.ports import Ports
from feedlane.statements import items as statement_items
from feedlane.statements.statement import StatementState, is_in_doubt
from feedlane.store.due import next_look


def has_doubt(ports: Ports, feed: Feed) -> bool:
    """Whether nobody knows if the upstream has the feed's statement: it was posted without an answer that tells.

    One that is being posted for the first time is not in doubt yet.
    """
    statement = statement_items.find_statement(ports.store, feed.id, feed.flight.number) if feed.flight else None
    if statement is None:
        return False
    is_sought = statement.known_lines or statement.search is not None or statement.unlisted_since is not None
    has_failed = statement.in_doubt_since is not None or bool(statement.problems)
    is_open = statement.state is StatementState.POSTING and has_failed
    return statement.stuck or is_in_doubt(statement, ports.clock()) or is_sought or is_open


def take_back(ports: Ports, feed: Feed) -> bool:
    """Ends a statement that the upstream has surely not taken: its lines wait again. False for any other.

    Raises `ConditionFailed` if it is being posted at the same time.
    """
    statement = statement_items.find_statement(ports.store, feed.id, feed.flight.number) if feed.flight else None
    if statement is None or feed.flight is None or feed.flight.status is not FlightStatus.POSTING:
        return False
    if not statement.known_unsent:
        return False
    now = ports.clock()
    ended = statement.found(state=StatementState.REFUSED, ended_on=now)
    after = feed.undelivered(statement.last).but(look=next_look(now))
    ports.store.commit(statement_items.put_statement(ended), feed_items.put_feed(after))
    return True
