"""Codat as a function from request to response, and the adapter on top of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

from feedlane.codat_upstream.bank_feeds import CodatBankFeeds
from feedlane.codat_upstream.client import CodatClient
from feedlane.feeds.call_limits import NO_LIMITS, CallLimits
from feedlane.feeds.line import Line
from feedlane.feeds.upstream import Statement, TenantAccess
from feedlane.scope import Scope

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
COMPANY, CONNECTION, ACCOUNT = "c0mpany", "c0nnection", "GB/12 3"
PLACE = f"{CONNECTION}/{ACCOUNT}"
ACCESS = TenantAccess(tenant_id=COMPANY, token_set_id="codat", connection_id="ours", tenant_connection_id=CONNECTION)
KEY = "canary-key"
CORRELATION = "c0" * 16
Server = Callable[[httpx.Request], httpx.Response]


class Limits:
    """Counts the calls, and notes the waits."""

    def __init__(self) -> None:
        self.calls = 0
        self.waits: list[tuple[str | None, Scope, int]] = []

    def call(self, tenant_id: str | None) -> AbstractContextManager[None]:
        self.calls += 1
        return nullcontext()

    def wait(self, tenant_id: str | None, scope: Scope, seconds: int) -> None:
        self.waits.append((tenant_id, scope, seconds))


def bank_feeds(server: Server, keys: Sequence[str] = (KEY,), limits: CallLimits = NO_LIMITS) -> CodatBankFeeds:
    def key(refused: str | None) -> str:
        return keys[0] if refused is None else keys[-1]

    transport = httpx.MockTransport(server)
    return CodatBankFeeds(CodatClient("https://api.codat.test/v1", key, lambda: NOON, limits, transport=transport))


def always(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Server:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _: httpx.Response(status, content=content, headers=headers)


def fails(error: type[httpx.TransportError]) -> Server:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error("canary")

    return fail


def routed(routes: dict[tuple[str, str], Any], asked: list[httpx.Request] | None = None) -> Server:
    """Answers by method and the end of the path: a JSON value with 200, or a status with one."""

    def answer(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        for (method, end), value in routes.items():
            if request.method == method and request.url.path.endswith(end):
                status, body = value if isinstance(value, tuple) else (200, value)
                return httpx.Response(status, json=body)
        raise AssertionError(f"{request.method} {request.url.path}")

    return answer


def envelope(status: int, error: str, errors: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    return {
        "statusCode": status,
        "service": "PublicApi",
        "error": error,
        "correlationId": CORRELATION,
        "canBeRetried": "Unknown",
        "detailedErrorCode": 0,
        "validation": {"errors": list(errors), "warnings": []},
    }


def operation(key: str = "op-1", status: str = "Pending", **fields: Any) -> dict[str, Any]:
    return {
        "changes": None,
        "dataType": "bankTransactions",
        "companyId": COMPANY,
        "pushOperationKey": key,
        "dataConnectionKey": CONNECTION,
        "requestedOnUtc": "2026-06-15T12:00:00.1234567Z",
        "status": status,
        "statusCode": 202,
        "timeoutInMinutes": None,
        "errorMessage": None,
        "validation": {"errors": [], "warnings": []},
    } | fields


def line(id: str = "t-1", amount: str = "10.10", balance: str = "110.10", **fields: Any) -> Line:
    texts = {"description": "Coffee", "payee": "", "reference": "", "type": "Credit"} | fields
    return Line(id, "2026-06-14", Decimal(amount), Decimal(balance), **texts)


def statement(*lines: Line, start: str = "100") -> Statement:
    balance = Decimal(start)
    end = balance + sum(one.amount for one in lines)
    day = NOON.date()
    return Statement(PLACE, day, day, balance, end, lines)


REQUEST = bank_feeds(always(500)).request_bytes(ACCESS, statement(line()))
