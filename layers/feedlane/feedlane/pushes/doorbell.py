"""The doorbell of a push: a message that names its operation. It is promised first, so that a crash leaves none unrung.

The same promise watches the time that the sender gave the push.
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

# Longer than the API's function lives: by then the operation is written, or never will be.
CHECK_DELAY_SECONDS = 60
_NOT_ENDED = frozenset({PushStatus.PENDING, PushStatus.TIMED_OUT})


def schedule_check(queues: Queues, operation: PushOperation) -> None:
    """Before the operation is written: somebody looks whether it was rung for, and later whether its time is over."""
    _check_later(queues, operation, timedelta(seconds=CHECK_DELAY_SECONDS))


def notify_and_schedule(queues: Queues, operation: PushOperation, promised: bool = False) -> PushOperation:
    """Rung for, and watched if nothing was promised: again if the push came again, whose taker may have crashed."""
    if operation.status in _NOT_ENDED:
        _notify(queues, operation)
        if operation.due is not None and not promised:
            _check_later(queues, operation, operation.due - operation.requested_on)
    return operation


def check_operation(ports: Ports, now: datetime, check: PushOperationCheck) -> None:
    """Rings for a push that is in no ledger, and ends an operation whose time is over. May be done again."""
    operation = push_operation_items.find_operation(ports.store, check.company_id, check.operation_key)
    if operation is None:
        return
    if operation.door is Door.API and operation.status in _NOT_ENDED:
        _notify(ports.queues, operation)
    if operation.status is not PushStatus.PENDING or operation.due is None:
        return
    if operation.due > now:
        _check_later(ports.queues, operation, operation.due - now + timedelta(seconds=1))
        return
    company = company_items.company(ports.store, operation.company_id)
    ports.store.commit(*push_operation_end.end_writes(ports, operation.timed_out(now), company, now))


def _notify(queues: Queues, operation: PushOperation) -> None:
    """Its transactions are in the table. One that is rung for twice is recorded once.

    Also for one that timed out before it was recorded: only the doorbell can bring it on its way.
    """
    if operation.through:
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
    check = PushOperationCheck(
        feed_id=feed_id(operation.connection_id, operation.account_id),
        operation_key=operation.key,
        company_id=operation.company_id,
    )
    queues.follow_up(check, max(1, min(DELAY_SECONDS_MAX, int(delay.total_seconds()))))
