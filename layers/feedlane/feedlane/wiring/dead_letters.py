"""The kinds of dead letters: the queue that keeps each, what its messages mean, and how they are put back.

A letter's body is as its sender made it: a producer may have sent anything. What is shown of it are ids and numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from feedlane.aws.dead_letter_queue import DeadLetter
from feedlane.aws.put_back import PutBack, publish_again, requeue_to, rerun
from feedlane.pushes.message import ID_LENGTH_MAX, with_operation_key
from feedlane.text import is_plain


@dataclass(frozen=True)
class Concern:
    """The ids that a letter names; empty where it names none."""

    company_id: str = ""
    connection_id: str = ""
    account_id: str = ""
    consumer_id: str = ""
    event_id: str = ""


@dataclass(frozen=True)
class Kind:
    """`queue` is a name without the stack's prefix. `describe` shows ids and numbers, never content."""

    name: str
    title: str
    queue: str
    describe: Callable[[DeadLetter], str]
    concern: Callable[[DeadLetter], Concern]
    put_back: PutBack


def _push(letter: DeadLetter) -> str:
    push = letter.json
    transactions, company = push.get("transactions"), _shown(push.get("companyId"))
    if not push:
        return "not a JSON object"
    if isinstance(transactions, list):
        return f"{len(transactions)} transaction{'' if len(transactions) == 1 else 's'} for company {company}"
    return f"push operation {_shown(push.get('pushOperationKey'))} for company {company}"


def _wake(letter: DeadLetter) -> str:
    return f"wake-up for feed {_shown(letter.json.get('feedId'))}"


def _check(letter: DeadLetter) -> str:
    check = letter.json
    number = f" {_shown(check['number'])}" if check.get("number") else ""
    feed = f" for feed {_shown(check['feed_id'])}" if check.get("feed_id") else ""
    return f"check of {_shown(check.get('kind'))}{number}{feed}"


def _delivery(letter: DeadLetter) -> str:
    delivery = letter.json
    what = "replay" if "replayId" in delivery else "event"
    return f"{what} {_shown(delivery.get(f'{what}Id'))} for consumer {_shown(delivery.get('consumerId'))}"


def _event(letter: DeadLetter) -> str:
    event = letter.json
    if letter.is_of_the_stream:
        batch = _object(event["DDBStreamBatchInfo"])
        size, first = _shown(batch.get("batchSize", 0)), _shown(batch.get("approximateArrivalOfFirstRecord"))
        return f"{size} event{'' if size == '1' else 's'} from {first}, not on the bus"
    id = _object(event.get("detail")).get("id")
    return f"event {_shown(id)} ({_shown(event.get('detail-type'))}), not routed"


def _run(letter: DeadLetter) -> str:
    return "watch" if _object(letter.json.get("requestPayload", letter.json)).get("watch") else "daily round"


def _of_push(letter: DeadLetter) -> Concern:
    push = letter.json
    return Concern(*(_id(push.get(name)) for name in ("companyId", "connectionId", "accountId")))


def _of_wake(letter: DeadLetter) -> Concern:
    return _of_feed(letter.json.get("feedId"))


def _of_check(letter: DeadLetter) -> Concern:
    check = letter.json
    if check.get("feed_id"):
        return _of_feed(check["feed_id"])
    return Concern(_id(check.get("company_id")), _id(check.get("connection_id")))


def _of_delivery(letter: DeadLetter) -> Concern:
    delivery = letter.json
    return Concern(consumer_id=_id(delivery.get("consumerId")), event_id=_id(delivery.get("eventId")))


def _of_event(letter: DeadLetter) -> Concern:
    return Concern(_id(_object(_object(letter.json.get("detail")).get("feedlane")).get("companyId")))


def _of_feed(feed_id: Any) -> Concern:
    connection_id, _, account_id = feed_id.partition("/") if isinstance(feed_id, str) else ("", "", "")
    return Concern(connection_id=_id(connection_id), account_id=_id(account_id))


def _shown(value: Any) -> str:
    """A value that can be an id, a name or a number of ours. Of any other, only that it is there."""
    if value is None or isinstance(value, bool | int):
        return str(value)
    longest = 2 * ID_LENGTH_MAX + 1
    return value if isinstance(value, str) and is_plain(value) and len(value) <= longest else "(not readable)"


def _id(value: Any) -> str:
    return value if isinstance(value, str) and is_plain(value) and len(value) <= ID_LENGTH_MAX else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _with_operation_key(letter: DeadLetter) -> str:
    return with_operation_key(letter.body, letter.group, letter.id)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "transactions", "pushes not recorded", "transactions-dead-letters.fifo", _push, _of_push,
            requeue_to("transactions.fifo", _with_operation_key),
        ),
        Kind("statements", "feeds not woken", "statements-dead-letters.fifo", _wake, _of_wake,
             requeue_to("statements.fifo")),
        Kind("checks", "status checks not made", "statement-checks-dead-letters", _check, _of_check,
             requeue_to("statement-checks")),
        Kind("deliveries", "webhooks not sent", "webhook-deliveries-dead-letters", _delivery, _of_delivery,
             requeue_to("webhook-deliveries")),
        Kind("events", "events not delivered to any consumer", "events-dead-letters", _event, _of_event,
             publish_again),
        Kind("schedule", "failed scheduled runs", "schedule-dead-letters", _run, lambda letter: Concern(),
             rerun("tend_connections")),
    )
}  # fmt: skip
