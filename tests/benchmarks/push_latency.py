"""How long a client waits for the push route with 1,000 transactions.

The floor is a function that only answers, behind the same HTTP API of the same local stack, with the same bodies from
the same client: the price of a request of that size before any work. The two alternate, ten calls each. Every push has
new transactions, and they stay on the queue until it is purged, so that nothing else runs.

`push_cold_s` is the first push that a new worker of `public_api` answers. Locally that includes unpacking the function
and its layers. The function that only answers has the same layers and is reported for comparison.
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
BLOCK = 10
PAUSE_SECONDS = 0.5
COLD_STARTS = 3
FLOOR = "bench-floor-api"
ROUTE = "/bench/floor"


def run(stack: Stack) -> list[Figure]:
    client = _client(stack)
    _floor_route(stack)
    stack.consume(False)
    path = push_path(stack.feeds[0])
    api = f"{stack.platform.description['stackName']}-public_api"
    cold, idle_cold = [], []
    for number in range(COLD_STARTS):
        idle_cold.append(_cold(stack, client, FLOOR, ROUTE, number))
        cold.append(_cold(stack, client, api, path, number))
    floors: list[float] = []
    pushes: list[float] = []
    for block in range(PUSHES // BLOCK):
        bodies = [_body(f"warm{block}.{number}") for number in range(BLOCK)]
        floors += _block(client, ROUTE, bodies)
        pushes += _block(client, path, bodies)
    stack.client("sqs").purge_queue(QueueUrl=stack.platform.description["transactionsQueueUrl"])
    stack.consume(True)
    floor, p50 = statistics.median(floors), statistics.median(pushes)
    p99 = statistics.quantiles(pushes, n=100, method="inclusive")[98]
    against = f"{floor * 1000:.0f} ms for a function that only answers; the push takes {p50 * 1000:.0f} ms"
    against_cold = (
        f"{statistics.median(idle_cold):.1f} s for the function that only answers; the SDKs give up after 5 s"
    )
    return [
        Figure("push_p50_ratio", p50 / floor, against, at_most=4),
        Figure("push_p99_ms", p99 * 1000, f"p99 of the floor: {_p99(floors) * 1000:.0f} ms"),
        Figure("push_cold_s", statistics.median(cold), against_cold, at_most=3),
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
        IntegrationUri=stack.function(FLOOR, stack.layers()),
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    gateway.create_route(ApiId=api, RouteKey=f"POST {ROUTE}", Target=f"integrations/{integration}")
    stack.client("lambda").add_permission(
        FunctionName=FLOOR, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )


def _cold(stack: Stack, client: httpx.Client, function: str, path: str, number: int) -> float:
    """Changes the configuration, so that the next call starts a new worker, as on AWS."""
    aws = stack.client("lambda")
    variables = aws.get_function_configuration(FunctionName=function).get("Environment", {}).get("Variables", {})
    aws.update_function_configuration(
        FunctionName=function, Environment={"Variables": variables | {"BENCH": str(number)}}
    )
    body = _body(f"cold{number}")
    time.sleep(PAUSE_SECONDS)
    return _seconds(client, path, body)


def _block(client: httpx.Client, path: str, bodies: list[bytes]) -> list[float]:
    """Posts the bodies one by one, after a pause for earlier work and a warm-up call."""
    time.sleep(PAUSE_SECONDS)
    _seconds(client, path, bodies[0].replace(b"warm", b"heat"))
    return [_seconds(client, path, body) for body in bodies]


def _seconds(client: httpx.Client, path: str, body: bytes) -> float:
    before = time.perf_counter()
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    seconds = time.perf_counter() - before
    assert answer.status_code == 200, f"{path} answered {answer.status_code}: {answer.text[:300]}"
    return seconds


def _body(tag: str) -> bytes:
    body: dict[str, Any] = {"transactions": transactions(COUNT, tag=tag)}
    return json.dumps(body).encode()


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[98]
