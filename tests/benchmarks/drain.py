"""Transactions per second from the queue until Xero has DELIVERED them, on the deployed local stack.

Each message has a single transaction: 250 messages for each of twenty feeds of five tenants. The feeds alternate, ten
messages each: SQS fills a batch from one group before it turns to another, the local queue takes the first messages.

The floor is a function that commits each batch in one conditional transaction, the least that "once" needs, behind a
FIFO queue of the same kind, with the same messages. In both cases all messages are on the queue before the event source
mapping is enabled. There are so many that idle seconds (a statement that is not full waits for more lines, the first
check of a statement comes after a second) weigh little. For comparison, a function that does nothing is measured too.
Transactions not delivered in time do not count as delivered.
"""

from __future__ import annotations

import json
import time
import uuid
from contextlib import suppress
from typing import Any

import click

from local.demo.platform import Account
from tests.benchmarks import durations
from tests.benchmarks.figures import Figure
from tests.benchmarks.sample import transactions
from tests.benchmarks.stack import IDLE_HANDLER, ONCE_HANDLER, Stack, settle

PER_FEED = 250
# The size of a batch.
BATCH = 10
DRAIN_SECONDS_MAX = 180
FLOOR, IDLE = "bench-floor-once", "bench-floor-idle"

Message = tuple[str, str]


def run(stack: Stack) -> list[Figure]:
    _warm(stack)
    batch = messages(stack)
    idle = len(batch) / _drain_floor(stack, IDLE, batch)
    once = len(batch) / _drain_floor(stack, FLOOR, batch, ONCE_HANDLER)
    since = time.time()
    delivered, seconds = _drain_feedlane(stack, batch)
    for function, invocations in durations.invocations(stack, since).items():
        if invocations:
            average = 1000 * sum(invocations) / len(invocations)
            click.echo(f"  {function}: {len(invocations)} invocations, {average:.0f} ms on average")
    floor = (
        f"{once:.0f}/s with one conditional transaction per batch, {idle:.0f}/s through a function that does nothing"
    )
    floor += f"; {delivered:,} of {len(batch):,} messages of one transaction delivered after {seconds:.0f} s"
    return [
        Figure("drain_ratio", delivered / seconds / once, floor, at_least=0.6),
        Figure("drain_transactions_per_s", delivered / seconds, floor),
    ]


def messages(stack: Stack, per_feed: int = PER_FEED) -> list[Message]:
    """The group and the body of each message. The feeds alternate, `BATCH` messages each."""
    rows = [transactions(per_feed, stack.delivered(feed) + 1, tag="drain") for feed in stack.feeds]
    return [
        (feed.group, body(feed, feed_rows[number : number + 1]))
        for start in range(0, per_feed, BATCH)
        for feed, feed_rows in zip(stack.feeds, rows, strict=True)
        for number in range(start, start + BATCH)
    ]


def _warm(stack: Stack) -> None:
    """Sends some messages and their events first, so that every function has its workers.

    The local stack unpacks a worker's layers in its own process, and does not answer until it has finished.
    """
    batch, since = messages(stack, BATCH), time.time()
    delivered, _ = _drain_feedlane(stack, batch)
    assert delivered == len(batch), f"{delivered} of {len(batch)} warm-up messages were delivered"
    settle(lambda: durations.routed(stack, since) >= len(batch), "the events to be routed", pause=1)


def body(feed: Account, rows: list[dict[str, Any]]) -> str:
    place = {"version": 1, "companyId": feed.company_id, "connectionId": feed.connection_id, "accountId": feed.id}
    return json.dumps(place | {"transactions": rows})


def _drain_floor(stack: Stack, name: str, batch: list[Message], code: str = IDLE_HANDLER) -> float:
    """How many seconds a function of this code takes."""
    sqs = stack.client("sqs")
    fifo = {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "VisibilityTimeout": "360",
    }
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes=fifo)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack.function(name, stack.layers() if code is ONCE_HANDLER else None, code)
    aws = stack.client("lambda")
    mapping = aws.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, BatchSize=10)["UUID"]
    # The first message starts the worker; Feedlane's workers are running already.
    send(stack, url, batch[:1])
    settle(lambda: _is_empty(sqs, url), "the first message to be consumed")
    aws.update_event_source_mapping(UUID=mapping, Enabled=False)
    send(stack, url, batch[1:])
    began = time.perf_counter()
    aws.update_event_source_mapping(UUID=mapping, Enabled=True)
    return settle(lambda: _is_empty(sqs, url), "the messages to be consumed") - began


def _drain_feedlane(stack: Stack, batch: list[Message]) -> tuple[int, float]:
    """How many transactions were delivered in time, and in how many seconds."""
    before, expected = _delivered(stack), _delivered(stack) + len(batch)
    stack.consume(False)
    send(stack, stack.platform.description["transactionsQueueUrl"], batch)
    began = time.perf_counter()
    stack.consume(True)
    with suppress(TimeoutError):
        settle(lambda: _delivered(stack) >= expected, "the transactions to be delivered", DRAIN_SECONDS_MAX, pause=0.2)
    return _delivered(stack) - before, time.perf_counter() - began


def _delivered(stack: Stack) -> int:
    return sum(map(stack.delivered, stack.feeds))


def send(stack: Stack, url: str, batch: list[Message]) -> None:
    for start in range(0, len(batch), 10):
        entries = [
            {
                "Id": str(number),
                "MessageBody": body,
                "MessageGroupId": group,
                "MessageDeduplicationId": str(uuid.uuid4()),
            }
            for number, (group, body) in enumerate(batch[start : start + 10])
        ]
        assert not stack.client("sqs").send_message_batch(QueueUrl=url, Entries=entries).get("Failed")


def _is_empty(sqs: Any, url: str) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return not any(int(attributes[name]) for name in names)
