"""How long one transaction takes from the queue to the POST at Xero, when nothing else is on its way.

Messages are sent one by one to warm functions of the deployed local stack, each after the one before it was delivered.
The time ends when the simulator receives the statement, by its own clock, which is this machine's.
"""

from __future__ import annotations

import json
import statistics
import time
from datetime import datetime

from local.demo.platform import Account
from tests.benchmarks.drain import body, send
from tests.benchmarks.figures import Figure
from tests.benchmarks.sample import transactions
from tests.benchmarks.stack import Stack, settle

COUNT = 21
WARM_UPS = 3


def run(stack: Stack) -> list[Figure]:
    feed = stack.feeds[0]
    seconds = [_seconds(stack, feed) for _ in range(WARM_UPS + COUNT)][WARM_UPS:]
    p50, p90 = statistics.median(seconds), statistics.quantiles(seconds, n=10, method="inclusive")[8]
    against = f"{COUNT} messages, one by one; the slowest took {max(seconds):.2f} s"
    return [
        Figure("queue_to_post_p50_s", p50, against, at_most=1.5),
        Figure("queue_to_post_p90_s", p90, against),
    ]


def _seconds(stack: Stack, feed: Account) -> float:
    number = stack.delivered(feed) + 1
    [row] = transactions(1, number, tag="alone")
    before = time.time()
    send(stack, stack.platform.description["transactionsQueueUrl"], [(feed.group, body(feed, [row]))])
    settle(lambda: stack.delivered(feed) == number, "the transaction to be delivered", pause=0.1)
    [received] = [
        statement["receivedAt"]
        for statement in json.loads(stack.simulator.record())["statements"]
        if [line["transactionId"] for line in statement["lines"]] == [row["id"]]
    ]
    return datetime.fromisoformat(received).timestamp() - before
