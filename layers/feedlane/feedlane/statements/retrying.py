"""Sends a statement in doubt again, or looks for it: less and less often, and told of when that goes on for a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.events.outbox import put_event
from feedlane.feeds.feed import Feed
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.queues import DELAY_SECONDS_MAX
from feedlane.statements import events as statement_events
from feedlane.statements import items as statement_items
from feedlane.statements.statement import STUCK_AFTER, Doubt, StatementRecord
from feedlane.statements.waits import schedule_wake
from feedlane.store.table import Write

# A person has been told: more attempts cost calls, and help only if Xero recovers by itself.
STUCK_RETRY_INTERVAL = timedelta(hours=1)
PROBLEMS_KEPT_MAX = 10


def record_retry(
    ports: Ports,
    feed: Feed,
    statement: StatementRecord,
    problem: Problem | None,
    now: datetime,
    is_search: bool = False,
) -> None:
    """This post may have arrived, or not: records when it is sent again. Reports it once when it is stuck.

    What a search did not find before, it may find now; unless it was a search itself that got no answer.
    """
    since = statement.in_doubt_since or now
    is_stuck = statement.stuck or now - since > STUCK_AFTER
    is_rare = is_stuck and not is_search
    delay = STUCK_RETRY_INTERVAL if is_rare else failure_delay(statement.failures + 1)
    retried = statement.but(
        known_unsent=False,
        failures=statement.failures + 1,
        in_doubt_since=since,
        unlisted_since=statement.unlisted_since if is_search else None,
        again=now + delay,
        stuck=is_stuck,
        doubt=statement.doubt or Doubt.NOT_CONFIRMED if is_stuck else None,
        problems=with_problem(statement, problem),
    )
    writes: list[Write] = [statement_items.put_statement(retried)]
    if is_stuck and not statement.stuck:
        company = company_items.company(ports.store, feed.company_id)
        writes.append(put_event(statement_events.statement_stuck(ports, feed, retried, company, now)))
    ports.store.commit(*writes)
    schedule_wake(ports, feed, now + delay)


def failure_delay(failures: int) -> timedelta:
    """Doubled with each failure, up to the longest delay of SQS."""
    return timedelta(seconds=min(DELAY_SECONDS_MAX, 2 ** min(failures, 10)))


def with_problem(statement: StatementRecord, problem: Problem | None) -> tuple[Problem, ...]:
    """The statement's problems with this one. The same again is not kept twice."""
    if problem is None or (statement.problems and statement.problems[-1].says_the_same(problem)):
        return statement.problems
    return (*statement.problems[1 - PROBLEMS_KEPT_MAX :], problem)
