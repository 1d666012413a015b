"""How push operations end: each with its event, in the same commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from feedlane.companies.company import Company
from feedlane.events.outbox import put_event
from feedlane.feeds import events as feed_events
from feedlane.feeds import push_operation_items
from feedlane.feeds.push_operation import PushOperation, PushStatus
from feedlane.ports import Ports
from feedlane.problem import Problem
from feedlane.store.attempts import attempts
from feedlane.store.table import Add, Condition, ConditionFailed, Contended, Write

# Each operation is three writes (itself, its event, its pointer), two more are conditions; a commit has at most 100.
OPERATIONS_PER_COMMIT_MAX = 30
# And at most four megabytes: operations with a thousand warnings each are many.
COMMIT_BYTES_MAX = 3_500_000


def end_writes(ports: Ports, operation: PushOperation, company: Company, now: datetime) -> list[Write]:
    """The writes that end an operation: as it is now, and the event of it."""
    event = feed_events.write_ended(ports, operation, company, now)
    return [push_operation_items.put_operation(operation), put_event(event)]


def succeed(ports: Ports, feed_id: str, through: int, company: Company, now: datetime) -> None:
    """Ends all operations whose last line is delivered. May be done again after a crash."""
    for attempt in attempts(f"open push operations of feed {feed_id}"):
        waiting = push_operation_items.open_operations(ports.store, feed_id, through=through)
        with attempt:
            _end(ports, feed_id, waiting, lambda operation: operation.succeeded(now), company, now)


def fail(
    ports: Ports,
    feed_id: str,
    after: int,
    problem: Problem,
    company: Company,
    now: datetime,
    *conditions: Add | Condition,
) -> bool:
    """Ends all operations that wait for lines behind `after`, with this problem, while `conditions` hold.

    False if they do not hold any more.
    """
    unless = {condition.key for condition in conditions}

    def end(operation: PushOperation) -> PushOperation:
        return failed_by(operation, problem, now)

    for attempt in attempts(f"open push operations of feed {feed_id}"):
        waiting = push_operation_items.open_operations(ports.store, feed_id, after=after)
        with attempt:
            try:
                _end(ports, feed_id, waiting, end, company, now, *conditions)
            except ConditionFailed as failed:
                if unless & set(failed.keys) and not isinstance(failed, Contended):
                    return False
                raise
    return True


def failed_by(operation: PushOperation, problem: Problem, now: datetime) -> PushOperation:
    """The operation failed by what stops its feed. Its transactions stay in the ledger: a release sends them."""
    return operation.failed(now, problem.detail or problem.title, status_code=problem.status, problem=problem)


def _end(
    ports: Ports,
    feed_id: str,
    operations: Iterable[PushOperation],
    end: Callable[[PushOperation], PushOperation],
    company: Company,
    now: datetime,
    *conditions: Add | Condition,
) -> None:
    """Raises `ConditionFailed` if somebody else changed one of them meanwhile. One that has ended is just unlisted."""
    for some in _batches(operations):
        writes: list[Write] = [*conditions]
        for operation in some:
            if operation.status is PushStatus.PENDING:
                writes += end_writes(ports, end(operation), company, now)
            writes.append(push_operation_items.remove_open_operation(feed_id, operation))
        ports.store.commit(*writes)


def _batches(operations: Iterable[PushOperation]) -> Iterator[list[PushOperation]]:
    """As many at once as fit into a commit."""
    some: list[PushOperation] = []
    size = 0
    for operation in operations:
        own = push_operation_items.estimated_bytes(operation)
        if some and (len(some) == OPERATIONS_PER_COMMIT_MAX or size + own > COMMIT_BYTES_MAX):
            yield some
            some, size = [], 0
        some.append(operation)
        size += own
    if some:
        yield some
