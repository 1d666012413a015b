"""How these tests speak to the Codat simulator: its SDKs, plain HTTP, and its control routes, over stopped time."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import simplejson
from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import shared
from codat_bankfeeds.utils.retries import BackoffStrategy, RetryConfig
from codat_platform import CodatPlatform
from codat_platform.models import shared as platform_shared

from local.codat_simulator.state import DEFAULT_API_KEY, Codat
from local.simulator.organisations import fixed_id

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
BAKERY = fixed_id("harbour-bakery")
JOINERY = fixed_id("northwind-joinery")
DEMO = fixed_id("demo-company-uk")
CURRENT_ACCOUNT = fixed_id("harbour-current")
SAVINGS_ACCOUNT = fixed_id("harbour-savings")
CARD_ACCOUNT = fixed_id("harbour-card")
EURO_ACCOUNT = fixed_id("harbour-euro")
REDIRECT = "https://app.example.com/done/{companyId}?code={statusCode}&connection={connectionId}&error={errorMessage}"
CHECKING = {
    "id": "src-001",
    "accountName": "Current account",
    "accountType": "checking",
    "accountNumber": "20011234",
    "sortCode": "040004",
    "currency": "GBP",
    "balance": 250.1,
}
Ids = dict[str, str]
Json = dict[str, Any]


def authorization(key: str = DEFAULT_API_KEY) -> str:
    return "Basic " + base64.b64encode(key.encode()).decode()


def sdks(url: str) -> tuple[CodatBankFeeds, CodatPlatform]:
    """Both SDKs, unmodified; without retries, so that every answer is seen."""
    once = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)
    feeds = CodatBankFeeds(
        security=shared.Security(auth_header=authorization()), server_url=url, retry_config=once, timeout_ms=2000
    )
    platform = CodatPlatform(security=platform_shared.Security(auth_header=authorization()), server_url=url)
    return feeds, platform


@dataclass
class Driver:
    """The simulator from outside (`http`, `url`, the SDKs) and, where a test must look, from inside (`state`)."""

    url: str
    state: Codat
    http: httpx.Client

    def __post_init__(self) -> None:
        self.feeds, self.platform = sdks(self.url)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else simplejson.dumps(body, use_decimal=True)
        answer = self.http.request(method, f"/_simulator/{path}", content=content)
        answer.raise_for_status()
        return simplejson.loads(answer.text, use_decimal=True)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """A call of the API by plain HTTP."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, path, json=body, headers={"Authorization": authorization(), **names})

    def switch(self, name: str, position: Any) -> None:
        self.control("PUT", "behaviour", {name: position})

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", {"advanceSeconds": seconds})

    def fault(self, method: str, path: str, fault: str, **fields: Any) -> None:
        self.control("POST", "faults", {"match": {"method": method, "path": path}, "fault": fault, **fields})

    def company(self, name: str = "Harbour Bakery Ltd") -> Ids:
        """A company with a connection that waits for its customer."""
        company = self.feeds.companies.create(request={"name": name, "tags": {"uid": "cust_7"}})
        connection = self.feeds.connections.create(
            request={"company_id": company.id, "request_body": {"platform_key": "gbol"}}
        )
        return {"company_id": company.id, "connection_id": connection.id}

    def add_account(self, ids: Ids, **changes: Any) -> httpx.Response:
        return self.call("POST", f"{path_of(ids)}/connectionInfo/bankFeedAccounts", CHECKING | changes)

    def map(self, ids: Ids, target: str | None = CURRENT_ACCOUNT, source: str = "src-001") -> httpx.Response:
        body = {"sourceAccountId": source, "targetAccountId": target, "feedStartDate": "2026-06-01T00:00:00"}
        return self.call("POST", f"{path_of(ids)}/bankFeedAccounts/mapping", body)

    def link(self, ids: Ids, tenant: str = BAKERY) -> None:
        self.control("PUT", f"connections/{ids['connection_id']}", {"status": "Linked", "tenantId": tenant})

    def ready(self, tenant: str = BAKERY, target: str | None = CURRENT_ACCOUNT) -> Ids:
        """A connected feed of the account src-001."""
        ids = self.company()
        assert self.add_account(ids).status_code == 200
        self.link(ids, tenant)
        assert self.map(ids, target).status_code == 200
        return ids

    def push(self, ids: Ids, lines: list[Json], source: str = "src-001", query: str = "", **headers: str) -> Any:
        path = f"{path_of(ids)}/push/bankAccounts/{source}/bankTransactions{query}"
        return self.call("POST", path, {"accountId": source, "transactions": lines}, **headers)

    def operation(self, ids: Ids, pushed: httpx.Response) -> Any:
        return self.call("GET", f"/companies/{ids['company_id']}/push/{pushed.json()['pushOperationKey']}").json()

    def arrived(self) -> list[str]:
        """The ids of all lines in Xero's books, by account and in order."""
        return [line["id"] for ledger in self.control("GET", "ledgers")["ledgers"] for line in ledger["lines"]]


def path_of(ids: Ids) -> str:
    return f"/companies/{ids['company_id']}/connections/{ids['connection_id']}"


def lines(*amounts: float, first: int = 1, day: date = TODAY, balance: float = 0) -> list[Json]:
    """Lines of one day whose balances add up."""
    made = []
    for number, amount in enumerate(amounts, first):
        balance = round(balance + amount, 2)
        kind = "Credit" if amount >= 0 else "Debit"
        made.append(
            {
                "id": f"tx-{number}",
                "date": f"{day}T09:30:00",
                "description": "Invoice",
                "amount": amount,
                "balance": balance,
                "transactionType": kind,
            }
        )
    return made


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
