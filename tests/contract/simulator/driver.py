"""How these tests speak to the simulator: real HTTP, stopped time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import simplejson

from local.simulator.organisations import fixed_id
from local.simulator.state import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Simulator

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
REDIRECT = "http://localhost:4566/oauth/callback"
SCOPES = "offline_access openid profile email accounting.settings.read bankfeeds"
BAKERY = fixed_id("harbour-bakery")
JOINERY = fixed_id("northwind-joinery")
DEMO = fixed_id("demo-company-uk")
CURRENT_ACCOUNT = fixed_id("harbour-current")
SAVINGS_ACCOUNT = fixed_id("harbour-savings")
PAYPAL_ACCOUNT = fixed_id("harbour-paypal")
CREDENTIALS = (DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)
FEED_CONNECTIONS = "/bankfeeds.xro/1.0/FeedConnections"
# How a client sees a connection closed without an answer; a time-out is something else.
HUNG_UP = (httpx.RemoteProtocolError, httpx.ReadError)
STATEMENTS = "/bankfeeds.xro/1.0/Statements"


@dataclass
class Xero:
    """The simulator from outside (`http`, `url`) and, where a test must look, from inside (`state`)."""

    url: str
    state: Simulator
    http: httpx.Client
    token: str = ""

    def control(self, method: str, path: str, body: Any = None, *, expect: int | None = None) -> Any:
        content = None if body is None else simplejson.dumps(body, use_decimal=True)
        answer = self.http.request(method, f"/_simulator/{path}", content=content)
        if expect is not None:
            assert answer.status_code == expect, answer.text
        else:
            answer.raise_for_status()
        return simplejson.loads(answer.text, use_decimal=True)

    def switch(self, name: str, position: Any) -> None:
        """Turns one switch of what Xero does not document."""
        self.control("PUT", "behaviour", {name: position})

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", {"advanceSeconds": seconds})

    def authorize(self, **changes: str | None) -> httpx.Response:
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": DEFAULT_CLIENT_ID,
            "redirect_uri": REDIRECT,
            "scope": SCOPES,
            "state": "st-1",
        }
        kept = {name: value for name, value in (asked | changes).items() if value is not None}
        return self.http.get("/identity/connect/authorize", params=kept)

    def code(self, *tenant_ids: str, user_id: str | None = None, **changes: str | None) -> str:
        self.control("PUT", "consent", {"mode": "auto", "tenantIds": tenant_ids, "userId": user_id})
        return callback(self.authorize(**changes))["code"]

    def exchange(self, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        return self.http.post("/connect/token", data=form | changes, auth=CREDENTIALS)

    def refresh(self, refresh_token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.http.post("/connect/token", data=form, auth=CREDENTIALS)

    def connect(self, *tenant_ids: str, user_id: str | None = None, scope: str = SCOPES) -> dict[str, Any]:
        """A user's consent to these organisations; later calls use its access token."""
        answer = self.exchange(self.code(*tenant_ids, user_id=user_id, scope=scope))
        assert answer.status_code == 200, answer.text
        pair: dict[str, Any] = answer.json()
        self.token = pair["access_token"]
        return pair

    def call(
        self,
        method: str,
        path: str,
        *,
        tenant: str | None = BAKERY,
        body: Any = None,
        headers: dict[str, str] | None = None,
        token: str | None = None,
        params: dict[str, Any] | None = None,
        timeout: float = 10,
    ) -> httpx.Response:
        sent = {"Accept": "application/json", "Authorization": f"Bearer {token or self.token}"}
        if tenant is not None:
            sent["Xero-Tenant-Id"] = tenant
        content = body if isinstance(body, bytes | None) else simplejson.dumps(body, use_decimal=True)
        return self.http.request(
            method, path, headers=sent | (headers or {}), content=content, params=params, timeout=timeout
        )

    def post_feed(self, *items: dict[str, Any], tenant: str = BAKERY) -> httpx.Response:
        return self.call("POST", FEED_CONNECTIONS, tenant=tenant, body={"items": items})

    def active_feed(self, tenant: str = BAKERY, **changes: Any) -> str:
        answer = self.post_feed(new_feed(**changes), tenant=tenant)
        assert answer.status_code == 202, answer.text
        self.advance(1)
        return str(answer.json()["items"][0]["id"])

    def post_statements(self, *items: dict[str, Any], tenant: str = BAKERY, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.call("POST", STATEMENTS, tenant=tenant, body={"items": items}, headers=headers)

    def received(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "statements")["statements"]
        return found


def callback(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(REDIRECT), answer.headers["location"]
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def new_feed(**changes: Any) -> dict[str, Any]:
    feed = {
        "accountToken": "token-1",
        "accountId": CURRENT_ACCOUNT,
        "accountType": "BANK",
        "currency": "GBP",
    }
    return {name: value for name, value in (feed | changes).items() if value is not None}


def new_line(transaction_id: str | None = "t-1", amount: Any = 50, **changes: Any) -> dict[str, Any]:
    line = {
        "postedDate": "2026-06-14",
        "description": "Flour",
        "amount": amount,
        "creditDebitIndicator": "CREDIT",
        "transactionId": transaction_id,
    }
    return {name: value for name, value in (line | changes).items() if value is not None}


def new_statement(feed_id: str, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A statement of CREDIT lines of 50 each, from 100 up, unless `changes` say otherwise."""
    lines = lines or (new_line(),)
    return {
        "feedConnectionId": feed_id,
        "startDate": "2026-06-14",
        "endDate": "2026-06-14",
        "startBalance": credit(100),
        "endBalance": credit(100 + 50 * len(lines)),
        "statementLines": list(lines),
    } | changes


def credit(amount: Any) -> dict[str, Any]:
    return {"amount": amount, "creditDebitIndicator": "CREDIT"}


def debit(amount: Any) -> dict[str, Any]:
    return {"amount": amount, "creditDebitIndicator": "DEBIT"}
