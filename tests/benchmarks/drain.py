"""Transactions per second from the queue until Xero has DELIVERED them, on the deployed local stack.

Messages of one transaction each, the smallest there are: 1,000 of each of five feeds of five tenants. The feeds come in
turn, ten messages each: SQS fills a batch from one group before it takes another's, the local one takes what is first.

The floor is a function that does nothing, behind a FIFO queue of the same kind, with the same messages. Both find all
of their messages on the queue: the event source mapping is off until they are there. There are enough of them that the
seconds in which nothing is to be done (a statement that is not full waits for more, the first look at a statement
comes after one second) weigh little; what is not delivered when the patience is over counts as not delivered.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import click

from local.demo.platform import Account
from tests.benchmarks import durations
from tests.benchmarks.figures import Figure
from tests.benchmarks.sample import transactions
from tests.benchmarks.stack import Stack, settle

PER_FEED = 1000
# As many messages as a batch has.
RUN = 10
PATIENCE = 180
FLOOR = "bench-floor-queue"

Message = tuple[str, str]


def run(stack: Stack) -> list[Figure]:
    _warm(stack)
    some = messages(stack)
    idle = len(some) / _nothing(stack, some)
    since = time.time()
    delivered, seconds = _feedlane(stack, some)
    for function, took in durations.invocations(stack, since).items():
        if took:
            click.echo(f"  {function}: {len(took)} invocations of {1000 * sum(took) / len(took):.0f} ms on average")
    floor = f"{idle:.0f}/s through a function that does nothing, {len(some):,} messages of one transaction"
    floor += f"; {delivered:,} of them delivered after {seconds:.0f} s"
    return [
        Figure("drain_ratio", delivered / seconds / idle, floor, at_least=0.5),
        Figure("drain_transactions_per_s", delivered / seconds, floor),
    ]


def messages(stack: Stack, per_feed: int = PER_FEED) -> list[Message]:
    """One transaction each, the feeds in turn, a run of each: group and body of each message."""
    rows = [transactions(per_feed, stack.delivered(feed) + 1, tag="drain") for feed in stack.feeds]
    return [
        (feed.group, _body(feed, some[number : number + 1]))
        for start in range(0, per_feed, RUN)
        for feed, some in zip(stack.feeds, rows, strict=True)
        for number in range(start, start + RUN)
    ]


def _warm(stack: Stack) -> None:
    """Some messages go the whole way first, and their events too: then every function has its workers.

    The local stack unpacks a worker's layers in its own process, which answers nobody meanwhile.
    """
    some, since = messages(stack, RUN), time.time()
    delivered, _ = _feedlane(stack, some)
    assert delivered == len(some), f"{delivered} of {len(some)} messages that warm the functions were delivered"
    settle(lambda: durations.routed(stack, since) >= len(some), "the events to be routed", pause=1)


def _body(feed: Account, some: list[dict[str, Any]]) -> str:
    place = {"version": 1, "companyId": feed.company_id, "connectionId": feed.connection_id, "accountId": feed.id}
    return json.dumps(place | {"transactions": some})


def _nothing(stack: Stack, some: list[Message]) -> float:
    sqs = stack.client("sqs")
    fifo = {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "VisibilityTimeout": "360",
    }
    url = sqs.create_queue(QueueName=f"{FLOOR}.fifo", Attributes=fifo)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack.function(FLOOR)
    aws = stack.client("lambda")
    mapping = aws.create_event_source_mapping(FunctionName=FLOOR, EventSourceArn=arn, BatchSize=10)["UUID"]
    # The first message starts the worker; Feedlane's runs already.
    _send(stack, url, some[:1])
    settle(lambda: _is_empty(sqs, url), "the first message to be consumed")
    aws.update_event_source_mapping(UUID=mapping, Enabled=False)
    _send(stack, url, some[1:])
    began = time.perf_counter()
    aws.update_event_source_mapping(UUID=mapping, Enabled=True)
    return settle(lambda: _is_empty(sqs, url), "the messages to be consumed") - began


def _feedlane(stack: Stack, some: list[Message]) -> tuple[int, float]:
    """How many were delivered within the time that there is, and in how many seconds."""
    before, wanted = _delivered(stack), _delivered(stack) + len(some)
    stack.consume(False)
    _send(stack, stack.platform.description["transactionsQueueUrl"], some)
    began = time.perf_counter()
    stack.consume(True)
    with suppress(TimeoutError):
        settle(lambda: _delivered(stack) >= wanted, "the transactions to be delivered", PATIENCE, pause=0.2)
    return _delivered(stack) - before, time.perf_counter() - began


def _delivered(stack: Stack) -> int:
    return sum(map(stack.delivered, stack.feeds))


def _send(stack: Stack, url: str, some: list[Message]) -> None:
    for start in range(0, len(some), 10):
        entries = [
            {"Id": str(number), "MessageBody": body, "MessageGroupId": group}
            for number, (group, body) in enumerate(some[start : start + 10])
        ]
        assert not stack.client("sqs").send_message_batch(QueueUrl=url, Entries=entries).get("Failed")


def _is_empty(sqs: Any, url: str) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return not any(int(found[name]) for name in names)
