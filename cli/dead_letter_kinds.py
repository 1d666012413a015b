"""The kinds of dead letters: the queue that keeps each, what its messages mean, and how they are put back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cli.dead_letter_queue import DeadLetter
from cli.put_back import PutBack, publish_again, requeue_to, rerun
from cli.wording import counted
from feedlane.queue_message import naming_its_operation


@dataclass(frozen=True)
class Kind:
    """`queue` is a name without the stack's prefix. `describe` shows ids and numbers, never content."""

    name: str
    title: str
    queue: str
    describe: Callable[[DeadLetter], str]
    put_back: PutBack


def _push(letter: DeadLetter) -> str:
    push = letter.json
    transactions, key = push.get("transactions"), push.get("pushOperationKey")
    if not push:
        return "not a JSON object"
    if isinstance(transactions, list):
        return f"{counted(len(transactions), 'transaction')} for company {push.get('companyId')}"
    return f"push operation {key} for company {push.get('companyId')}"


def _wake(letter: DeadLetter) -> str:
    return f"wake-up for feed {letter.json.get('feedId')}"


def _check(letter: DeadLetter) -> str:
    check = letter.json
    number = f" {check['number']}" if check.get("number") else ""
    feed = f" for feed {check['feed_id']}" if check.get("feed_id") else ""
    return f"check of {check.get('kind')}{number}{feed}"


def _delivery(letter: DeadLetter) -> str:
    return f"event {letter.json.get('eventId')} for consumer {letter.json.get('consumerId')}"


def _event(letter: DeadLetter) -> str:
    event = letter.json
    if "DDBStreamBatchInfo" in event:
        batch = event["DDBStreamBatchInfo"]
        size = counted(batch.get("batchSize", 0), "event")
        return f"{size} from {batch.get('approximateArrivalOfFirstRecord')}, not on the bus"
    return f"event {event.get('detail', {}).get('id')} ({event.get('detail-type')}), not routed"


def _run(letter: DeadLetter) -> str:
    request = letter.json.get("requestPayload", letter.json)
    return "watch" if request.get("watch") else "daily round"


def _with_operation_key(letter: DeadLetter) -> str:
    return naming_its_operation(letter.body, letter.group, letter.id)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "transactions", "pushes not recorded", "transactions-dead-letters.fifo", _push,
            requeue_to("transactions.fifo", _with_operation_key),
        ),
        Kind("statements", "feeds not woken", "statements-dead-letters.fifo", _wake,
             requeue_to("statements.fifo")),
        Kind("checks", "status checks not made", "statement-checks-dead-letters", _check,
             requeue_to("statement-checks")),
        Kind("deliveries", "webhooks not sent", "webhook-deliveries-dead-letters", _delivery,
             requeue_to("webhook-deliveries")),
        Kind("events", "events not delivered to any consumer", "events-dead-letters", _event, publish_again),
        Kind("schedule", "failed scheduled runs", "schedule-dead-letters", _run, rerun("tend_connections")),
    )
}  # fmt: skip
