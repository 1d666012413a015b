"""What each dead-letter queue holds, what a letter of it means, and the way it goes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cli.dead_letter_queue import Letter
from cli.putting_back import Way, run_again, send_again, tell_again
from feedlane.pushes.message import with_operation_key


@dataclass(frozen=True)
class Kind:
    """`queue` and `back_to` are names without the stack's in front. `means` tells no content: ids and numbers only."""

    name: str
    what: str
    queue: str
    means: Callable[[Letter], str]
    back: Way


def _push(letter: Letter) -> str:
    sent = letter.json
    brought, key = sent.get("transactions"), sent.get("pushOperationKey")
    if not sent:
        return "a message that is no JSON object"
    if isinstance(brought, list):
        return f"{len(brought)} transaction(s) of company {sent.get('companyId')}"
    return f"push operation {key} of company {sent.get('companyId')}"


def _wake(letter: Letter) -> str:
    return f"wakes feed {letter.json.get('feedId')}"


def _check(letter: Letter) -> str:
    sent = letter.json
    number = f" {sent['number']}" if sent.get("number") else ""
    return f"looks at {sent.get('kind')}{number} of feed {sent.get('feed_id', '')}"


def _delivery(letter: Letter) -> str:
    return f"event {letter.json.get('eventId')} for consumer {letter.json.get('consumerId')}"


def _event(letter: Letter) -> str:
    sent = letter.json
    if "DDBStreamBatchInfo" in sent:
        batch = sent["DDBStreamBatchInfo"]
        return f"{batch.get('batchSize')} event(s) of {batch.get('approximateArrivalOfFirstRecord')}, not on the bus"
    return f"event {sent.get('detail', {}).get('id')} ({sent.get('detail-type')}), not routed"


def _run(letter: Letter) -> str:
    asked = letter.json.get("requestPayload", letter.json)
    return "a run of the watch" if asked.get("watch") else "a run of the daily round"


def _with_its_operation(letter: Letter) -> str:
    return with_operation_key(letter.body, letter.group, letter.id)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "transactions", "pushes that were not recorded", "transactions-dead-letters.fifo", _push,
            send_again("transactions.fifo", _with_its_operation),
        ),
        Kind("statements", "feeds that were not woken", "statements-dead-letters.fifo", _wake,
             send_again("statements.fifo")),
        Kind("checks", "looks that were not taken", "statement-checks-dead-letters", _check,
             send_again("statement-checks")),
        Kind("deliveries", "webhooks that were not sent", "webhook-deliveries-dead-letters", _delivery,
             send_again("webhook-deliveries")),
        Kind("events", "events that reached no consumer", "events-dead-letters", _event, tell_again),
        Kind("schedule", "scheduled runs that failed", "schedule-dead-letters", _run, run_again("tend_connections")),
    )
}  # fmt: skip
