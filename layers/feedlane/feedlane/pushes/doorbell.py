"""The doorbell of a push: a queue message that names its operation.

A check is scheduled before the operation is written, so that no crash leaves a push without its doorbell. The same
check ends an operation whose time, as its sender set it, is over.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from feedlane.companies import items as company_items
from feedlane.feeds import push_operation_end, push_operation_items
from feedlane.feeds.push_operation import Door, PushOperation, PushStatus
from feedlane.follow_ups import PushOperationCheck
from feedlane.ids import feed_id
from feedlane.ports import Ports
from feedlane.queues import DELAY_SECONDS_MAX, Queues
from feedlane.store.due import NOTHING_LEFT, Look, next_ring
from feedlane.store.table import Item

# Longer than an invocation of the API's function: by then the operation is written, or never will be.
CHECK_DELAY_SECONDS = 60
_NOT_ENDED = frozenset({PushStatus.PENDING, PushStatus.TIMED_OUT})


def schedule_check(queues: Queues, operation: PushOperation) -> None:
    """Schedules the check of the operation. Call it before the operation is written."""
    _check_later(queues, operation, timedelta(seconds=CHECK_DELAY_SECONDS))


def notify_and_schedule(queues: Queues, operation: PushOperation, is_scheduled: bool = False) -> PushOperation:
    """Sends the doorbell, and schedules the check of a time-out unless a check `is_scheduled`. Returns the operation.

    A repeated push does both again: the invocation that accepted it first may have crashed.
    """
    if operation.status in _NOT_ENDED:
        _notify(queues, operation)
        if operation.due is not None and not is_scheduled:
            _check_later(queues, operation, operation.due - operation.requested_on)
    return operation


def check_operation(ports: Ports, now: datetime, check: PushOperationCheck) -> None:
    """Sends the doorbell of a push that is not recorded, and ends an operation that has timed out. Safe to repeat."""
    operation = push_operation_items.find_operation(ports.store, check.company_id, check.operation_key)
    if operation is None:
        return
    if operation.door is Door.API and operation.status in _NOT_ENDED:
        _notify(ports.queues, operation)
    if operation.status is not PushStatus.PENDING or operation.due is None:
        return
    if operation.due > now and check.once:
        return
    if operation.due > now:
        _check_later(ports.queues, operation, operation.due - now + timedelta(seconds=1))
        return
    company = company_items.company(ports.store, operation.company_id)
    ports.store.commit(*push_operation_end.end_writes(ports, operation.timed_out(now), company, now))


def look(ports: Ports, now: datetime, item: Item) -> Look:
    """Has an operation checked whose doorbell or check was lost. What belongs to a deleted company is left alone."""
    operation = PushOperation.model_validate(item)
    is_due = operation.status is PushStatus.PENDING and operation.due is not None
    if not (operation.is_unrecorded or is_due):
        return NOTHING_LEFT
    if company_items.find_company(ports.store, operation.company_id) is None:
        return NOTHING_LEFT
    ports.queues.follow_up(_check_of(operation).but(once=True), 0)
    return Look(rung=True, again=next_ring(item, now))


def _notify(queues: Queues, operation: PushOperation) -> None:
    """Sends the doorbell unless the push is recorded. Sent twice, the push is still recorded once.

    A push that timed out before it was recorded gets it too: nothing else would record it.
    """
    if operation.is_decided:
        return
    message = {
        "version": 1,
        "companyId": operation.company_id,
        "connectionId": operation.connection_id,
        "accountId": operation.account_id,
        "pushOperationKey": operation.key,
    }
    queues.push(feed_id(operation.connection_id, operation.account_id), operation.key, json.dumps(message))


def _check_later(queues: Queues, operation: PushOperation, delay: timedelta) -> None:
    queues.follow_up(_check_of(operation), max(1, min(DELAY_SECONDS_MAX, int(delay.total_seconds()))))


def _check_of(operation: PushOperation) -> PushOperationCheck:
    return PushOperationCheck(feed_id=operation.feed_id, operation_key=operation.key, company_id=operation.company_id)
