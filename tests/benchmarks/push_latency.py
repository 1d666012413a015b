"""The push route with 1,000 transactions: how long a client waits.

The floor is a function that only answers, behind the same HTTP API of the same local stack, with the same bodies from
the same client: a request of that size costs that much before anybody has looked at it. The two take turns, each push
brings other transactions, and what is pushed stays on the queue until it is purged, so that nothing else runs.

`push_cold_s` is the first push that a new worker of `public_api` answers, with the import of all it needs; the official
SDKs give up after 5 s.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import httpx

from local.demo.platform import Account
from tests.benchmarks.figures import Figure
from tests.benchmarks.sample import transactions
from tests.benchmarks.stack import Stack

COUNT = 1000
PUSHES = 40
COLD = 3
FLOOR = "bench-floor-api"
ROUTE = "/bench/floor"


def run(stack: Stack) -> list[Figure]:
    client = _client(stack)
    _floor_route(stack)
    stack.consume(False)
    path = push_path(stack.feeds[0])
    cold = [_cold(stack, client, path, number) for number in range(COLD)]
    floors, pushes = [], []
    for number in range(PUSHES + 3):
        body = _body(f"warm{number}")
        floors.append(_seconds(client, ROUTE, body))
        pushes.append(_seconds(client, path, body))
    stack.client("sqs").purge_queue(QueueUrl=stack.platform.described["transactionsQueueUrl"])
    stack.consume(True)
    floors, pushes = floors[3:], pushes[3:]
    floor, p50 = statistics.median(floors), statistics.median(pushes)
    p99 = statistics.quantiles(pushes, n=100, method="inclusive")[98]
    told = f"{floor * 1000:.0f} ms for a function that only answers; the push takes {p50 * 1000:.0f} ms"
    return [
        Figure("push_p50_ratio", p50 / floor, told, at_most=4),
        Figure("push_p99_ms", p99 * 1000, f"p99 of the floor: {_p99(floors) * 1000:.0f} ms"),
        Figure("push_cold_s", statistics.median(cold), "the SDKs give up after 5 s", at_most=3),
    ]


def push_path(feed: Account) -> str:
    place = f"/companies/{feed.company_id}/connections/{feed.connection_id}"
    return f"{place}/push/bankAccounts/{feed.id}/bankTransactions"


def _client(stack: Stack) -> httpx.Client:
    return httpx.Client(
        base_url=stack.instance.api_url, headers=dict(stack.platform.http.headers), timeout=30, trust_env=False
    )


def _floor_route(stack: Stack) -> None:
    api, gateway = stack.instance.outputs()["ApiId"], stack.client("apigatewayv2")
    integration = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=stack.function(FLOOR),
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey=f"POST {ROUTE}", Target=f"integrations/{integration}")
    stack.client("lambda").add_permission(
        FunctionName=FLOOR, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )


def _cold(stack: Stack, client: httpx.Client, path: str, number: int) -> float:
    """A change of the configuration makes the next call start a new worker, as on AWS."""
    function, aws = f"{stack.platform.described['stackName']}-public_api", stack.client("lambda")
    variables = aws.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    aws.update_function_configuration(
        FunctionName=function, Environment={"Variables": variables | {"BENCH": str(number)}}
    )
    return _seconds(client, path, _body(f"cold{number}"))


def _seconds(client: httpx.Client, path: str, body: bytes) -> float:
    before = time.perf_counter()
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    seconds = time.perf_counter() - before
    assert answer.status_code == 200, f"{path} answers {answer.status_code}: {answer.text[:300]}"
    return seconds


def _body(tag: str) -> bytes:
    sent: dict[str, Any] = {"transactions": transactions(COUNT, tag=tag)}
    return json.dumps(sent).encode()


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[98]
