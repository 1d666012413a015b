"""CPU of a push of 1,000 transactions: checking, recording and building its statement.

The floor is the unavoidable part: `json.loads` and `json.dumps` of the same body.

The benchmark runs the product's own code in one process, from the body to the bytes for Xero: `pushing.accept` (the
door), `recording.record` (the ledger), `Sender.send` (the statement, stored and posted). The table is `QuickTable`; the
queues and the upstream's network are stand-ins in memory. Their own time, some microseconds per item, is included;
DynamoDB's serialisation, HTTP and the handlers are not.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from feedlane.feeds.line import Line
from feedlane.feeds.upstream import Accepted, PostAnswer, Statement, StatementStatus, TenantAccess
from feedlane.pushes.api_door import accept
from feedlane.pushes.message import QueueMessage
from feedlane.xero import statement_json
from tests.benchmarks.figures import Figure
from tests.benchmarks.sample import transactions
from tests.builders import ACCOUNT, COMPANY, CONNECTION, NOW
from tests.fakes.quick_table import QuickTable
from tests.fakes.upstream import FakeUpstream
from tests.worlds.feeds import World

COUNT = 1000
ROUNDS = 15


def run() -> list[Figure]:
    bodies = [body_of(f"round{number}") for number in range(ROUNDS)]
    # Alternating, so that both run under the same load.
    rounds = [(_cpu_seconds(partial(parse_and_serialise, body)), _cpu_seconds(whole_push(body))) for body in bodies]
    floor, seconds = map(min, zip(*rounds, strict=True))
    return [
        Figure("compute_ratio", seconds / floor, f"{floor * 1000:.1f} ms to parse and serialise the body", at_most=8),
    ]


def parse_and_serialise(body: str) -> str:
    return json.dumps(json.loads(body))


def body_of(tag: str) -> str:
    """The body of a round. Each round has its own body and feed, so that nothing is known from the previous one."""
    return json.dumps({"transactions": transactions(COUNT, last_day=NOW.date(), tag=tag)})


def whole_push(body: str) -> Callable[[], None]:
    """Prepares a push on a new feed. The result runs it, from its body to the bytes for Xero."""
    world = World(table=QuickTable(), upstream=Xero())

    def push() -> None:
        accept(world.ports, world.now, COMPANY, CONNECTION, ACCOUNT, body)
        [message] = world.queues.take("pushed")
        world.record(QueueMessage(message["id"], message["group"], message["body"], world.now))
        world.sender.send(world.queues.woken.pop(0))
        assert len(world.upstream.posts) == 1

    return push


class Xero(FakeUpstream):
    """Accepts every statement unread; the requests have Xero's real format."""

    def line_bytes(self, access: TenantAccess, line: Line) -> int:
        return statement_json.line_bytes(line)

    def request_bytes(self, access: TenantAccess, statement: Statement) -> bytes:
        return statement_json.statement_request(statement)

    def post_statement(self, access: TenantAccess, request: bytes, idempotency_key: str) -> PostAnswer:
        self.posts.append((idempotency_key, request))
        return Accepted(statement_id="statement-1", status=StatementStatus.PENDING)


def _cpu_seconds(work: Callable[[], Any]) -> float:
    gc.collect()
    gc.disable()
    try:
        before = time.process_time()
        work()
        return time.process_time() - before
    finally:
        gc.enable()
