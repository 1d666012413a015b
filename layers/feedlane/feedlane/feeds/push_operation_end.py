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
# And at most four megabytes, which a few operations with a thousand warnings each would exceed.
COMMIT_BYTES_MAX = 3_500_000


def end_writes(ports: Ports, operation: PushOperation, company: Company, now: datetime) -> list[Write]:
    """The writes that end an operation: the operation as it ended, and its event."""
    event = feed_events.write_ended(ports, operation, company, now)
    return [push_operation_items.put_operation(operation), put_event(event)]


def succeed(ports: Ports, feed_id: str, through: int, company: Company, now: datetime) -> None:
    """Ends all operations whose last line is delivered. May be repeated after a crash."""
    for attempt in attempts(f"open push operations of feed {feed_id}"):
        operations = push_operation_items.open_operations(ports.store, feed_id, through=through)
        with attempt:
            _end(ports, feed_id, operations, lambda operation: operation.succeeded(now), company, now)


def success_writes(ports: Ports, feed_id: str, through: int, company: Company, now: datetime) -> list[Write] | None:
    """The same as writes for the commit of the delivery; None if they do not fit into one."""
    batches = list(_batches(push_operation_items.open_operations(ports.store, feed_id, through=through)))
    if len(batches) > 1:
        return None
    return [
        write
        for batch in batches
        for write in _end_writes(ports, feed_id, batch, lambda operation: operation.succeeded(now), company, now)
    ]


def fail(
    ports: Ports,
    feed_id: str,
    after: int,
    problem: Problem,
    company: Company,
    now: datetime,
    *conditions: Add | Condition,
) -> bool:
    """Ends all operations that wait for lines after line `after`, with this problem, while `conditions` are met.

    False if they are no longer met.
    """
    condition_keys = {condition.key for condition in conditions}

    def end(operation: PushOperation) -> PushOperation:
        return failed_by(operation, problem, now)

    for attempt in attempts(f"open push operations of feed {feed_id}"):
        operations = push_operation_items.open_operations(ports.store, feed_id, after=after)
        with attempt:
            try:
                _end(ports, feed_id, operations, end, company, now, *conditions)
            except ConditionFailed as failed:
                if condition_keys & set(failed.keys) and not isinstance(failed, Contended):
                    return False
                raise
    return True


def failed_by(operation: PushOperation, problem: Problem, now: datetime) -> PushOperation:
    """The operation, failed by the problem that stops its feed. Its transactions stay in the ledger for a release."""
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
    """Raises `ConditionFailed` if one of them has changed since it was read.

    One that has already ended is only removed from the list of open operations.
    """
    for batch in _batches(operations):
        ports.store.commit(*conditions, *_end_writes(ports, feed_id, batch, end, company, now))


def _end_writes(
    ports: Ports,
    feed_id: str,
    operations: Iterable[PushOperation],
    end: Callable[[PushOperation], PushOperation],
    company: Company,
    now: datetime,
) -> list[Write]:
    writes: list[Write] = []
    for operation in operations:
        if operation.status is PushStatus.PENDING:
            writes += end_writes(ports, end(operation), company, now)
        writes.append(push_operation_items.remove_open_operation(feed_id, operation))
    return writes


def _batches(operations: Iterable[PushOperation]) -> Iterator[list[PushOperation]]:
    """Each batch as large as fits into a commit."""
    batch: list[PushOperation] = []
    batch_bytes = 0
    for operation in operations:
        operation_bytes = push_operation_items.estimated_bytes(operation)
        is_full = len(batch) == OPERATIONS_PER_COMMIT_MAX or batch_bytes + operation_bytes > COMMIT_BYTES_MAX
        if batch and is_full:
            yield batch
            batch, batch_bytes = [], 0
        batch.append(operation)
        batch_bytes += operation_bytes
    if batch:
        yield batch
