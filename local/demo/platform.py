"""The platform of the demonstration: a bank that uses the unmodified Codat SDK, and the queue."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import boto3
import httpx
from codat_bankfeeds import CodatBankFeeds
from codat_bankfeeds.models import errors, operations, shared

from local.demo.receiver import Receiver
from local.instance import ROOT_CREDENTIALS
from local.progress import Failure

Row = dict[str, str]
T = TypeVar("T")
# Of the companies: a consumer can ask for their events only.
TAG = ("demo", "yes")


@dataclass(frozen=True)
class Account:
    """A source account that is connected to a Xero bank account."""

    company_id: str
    connection_id: str
    id: str
    name: str

    @property
    def group(self) -> str:
        return f"{self.connection_id}/{self.id}"

    @property
    def ids(self) -> dict[str, str]:
        return {"company_id": self.company_id, "connection_id": self.connection_id}


class Platform:
    """`described` is the instance's description: what `build/local.json` holds."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.described = described
        key = base64.b64encode(described["apiKey"].encode()).decode()
        security = shared.Security(auth_header=f"Basic {key}")
        self.sdk = CodatBankFeeds(security=security, server_url=described["apiUrl"])
        self.http = httpx.Client(
            base_url=described["apiUrl"], headers={"Authorization": f"Basic {key}"}, timeout=30, trust_env=False
        )
        self.sqs = boto3.client(
            "sqs",
            endpoint_url=described["awsEndpointUrl"],
            region_name=described["awsRegion"],
            aws_access_key_id=ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def subscribe(self, receiver: Receiver) -> None:
        """A webhook consumer for all events of this platform's companies."""
        consumer = {"url": receiver.url, "eventTypes": [], "companyTags": [":".join(TAG)]}
        answer = self.http.post("/webhooks", json=consumer)
        if answer.status_code != 201:
            raise Failure(f"POST /webhooks answers {answer.status_code}: {answer.text[:300]}")
        receiver.secret, receiver.consumer_id = answer.json()["signingSecret"], answer.json()["id"]

    # linking

    def create_connection(self, name: str, accounts: list[dict[str, Any]]) -> tuple[str, str, str]:
        """A company with a connection and its source accounts. Answers the ids and the link for the customer."""
        company = self.sdk.companies.create(request={"name": name, "tags": dict([TAG])})
        connection = self.sdk.connections.create(
            request={"company_id": company.id, "request_body": {"platform_key": "gbol"}}
        )
        for account in accounts:
            self.sdk.source_accounts.create(
                request=operations.CreateSourceAccountRequest(
                    company_id=company.id,
                    connection_id=connection.id,
                    request_body=shared.SourceAccountV2Prototype(**account),
                )
            )
        return company.id, connection.id, connection.link_url

    def map_account(self, company_id: str, connection_id: str, account_id: str, target_id: str | None) -> Account:
        """Maps to an existing Xero account, or to a new one, and waits until the feed is connected."""
        ids = {"company_id": company_id, "connection_id": connection_id}
        mapping: dict[str, Any] = {"source_account_id": account_id}
        if target_id is not None:
            mapping["target_account_id"] = target_id
        self.sdk.account_mapping.create(request={**ids, "bank_feed_account_mapping": mapping})

        def connected() -> Account | None:
            found = {one.source_account_id: one for one in self.sdk.account_mapping.get(request=ids)}[account_id]
            if found.status != "connected":
                return None
            return Account(company_id, connection_id, account_id, found.source_account_name or account_id)

        return wait_for(connected, f"the account {account_id} to be connected")

    def targets(self, company_id: str, connection_id: str, account_id: str) -> dict[str, str]:
        """The Xero accounts that the source account may be mapped to, by name."""
        mappings = self.sdk.account_mapping.get(request={"company_id": company_id, "connection_id": connection_id})
        options = {one.source_account_id: one.target_account_options for one in mappings}[account_id] or []
        return {option.name: option.id for option in options}

    # pushing

    def push(self, account: Account, rows: list[Row]) -> tuple[Any, float]:
        """Through the SDK. Answers the push operation and how many seconds the call took."""
        request = operations.CreateBankTransactionsRequest(
            **account.ids,
            account_id=account.id,
            create_bank_transactions=shared.CreateBankTransactions(
                account_id=account.id, transactions=[_sdk_transaction(row) for row in rows]
            ),
        )
        before = time.perf_counter()
        return self.sdk.transactions.create(request=request), time.perf_counter() - before

    def queue(self, account: Account, rows: list[Row]) -> None:
        """Straight onto the FIFO queue."""
        message = {
            "version": 1,
            "companyId": account.company_id,
            "connectionId": account.connection_id,
            "accountId": account.id,
            "transactions": [_queue_transaction(row) for row in rows],
        }
        self.sqs.send_message(
            QueueUrl=self.described["transactionsQueueUrl"],
            MessageBody=json.dumps(message),
            MessageGroupId=account.group,
        )

    def refusal(self, account: Account, rows: list[Row]) -> errors.ErrorMessage:
        """The error that a push meets. Fails if there is none."""
        try:
            self.push(account, rows)
        except errors.ErrorMessage as refused:
            return refused
        raise Failure("A push was taken that had to be refused.")

    def ended(self, company_id: str, key: str) -> Any:
        """The push operation, once it is no longer Pending."""

        def found() -> Any:
            operation = self.sdk.transactions.get_create_operation(
                request={"company_id": company_id, "push_operation_key": key}
            )
            return None if status_of(operation) == "Pending" else operation

        return wait_for(found, f"the push operation {key} to end")

    def holds(self, company_id: str) -> list[dict[str, Any]]:
        """What is held of the company, and why."""
        found = self.http.get("/holds").json()["results"]
        return [hold for hold in found if hold.get("companyId") == company_id]

    def operations(self, company_id: str) -> list[Any]:
        """All push operations of the company."""
        found: list[Any] = []
        page = 1
        while True:
            answer = self.sdk.transactions.list_create_operations(
                request={"company_id": company_id, "page": page, "page_size": 500}
            )
            found += answer.results
            if len(found) >= answer.total_results:
                return found
            page += 1


class Customer:
    """The customer's browser, without a screen: follows redirects and keeps cookies."""

    def __init__(self) -> None:
        self.browser = httpx.Client(follow_redirects=True, timeout=35, trust_env=False)

    def authorise(self, link_url: str) -> httpx.Response:
        """From the link through Xero's consent and back. Answers the page where the customer ends up."""
        page = self.browser.get(link_url)
        if page.status_code != 200:
            raise Failure(f"Link ended on {page.url.path} with {page.status_code}: {page.text[:500]}")
        return page


class Simulator:
    """The other side: Xero as the simulator plays it."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def create_organisation(self, **organisation: Any) -> dict[str, Any]:
        return self._asked("POST", "/_simulator/orgs", organisation)

    def change_organisation(self, tenant_id: str, **changes: Any) -> None:
        self._asked("PUT", f"/_simulator/orgs/{tenant_id}", changes)

    def consent_to(self, tenant_id: str) -> None:
        self._asked("PUT", "/_simulator/consent", {"mode": "auto", "tenantIds": [tenant_id]})

    def order_problem(self, method: str, path: str, tenant_id: str, problem: str) -> None:
        """The next such call of the organisation is refused with this problem."""
        match = {"method": method, "path": path, "tenantId": tenant_id}
        self._asked("POST", "/_simulator/faults", {"match": match, "fault": "problem", "problem": problem})

    def record(self) -> bytes:
        """Every statement that was received, as `GET /_simulator/statements` answers it."""
        return self._http.get("/_simulator/statements").raise_for_status().content

    def statements(self, tenant_id: str) -> list[dict[str, Any]]:
        found = self._asked("GET", "/_simulator/statements")["statements"]
        return [statement for statement in found if statement["tenantId"] == tenant_id]

    def calls(self, tenant_id: str) -> list[dict[str, Any]]:
        return [call for call in self._asked("GET", "/_simulator/calls")["calls"] if call["tenant"] == tenant_id]

    def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            raise Failure(f"{method} {path} answers {answer.status_code}: {answer.text[:300]}")
        found: dict[str, Any] = json.loads(answer.content, parse_float=Decimal) if answer.content else {}
        return found


def status_of(operation: Any) -> str:
    """A push operation's status: the SDK has it as an enum, or as a text that it does not know."""
    return str(getattr(operation.status, "value", operation.status))


def wait_for(look: Callable[[], T | None], what: str, seconds: float = 60) -> T:
    """What `look` answers, as soon as it answers something."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise Failure(f"Waited {seconds:.0f} s in vain for {what}.")
        time.sleep(0.2)
    return found


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    start = time.perf_counter()
    yield lambda: time.perf_counter() - start


def _sdk_transaction(row: Row) -> shared.BankTransaction:
    return shared.BankTransaction(
        id=row["id"],
        date_=f"{row['date']}T00:00:00",
        description=row["description"],
        counterparty=row["counterparty"] or None,
        reference=row["reference"] or None,
        amount=Decimal(row["amount"]),
        balance=Decimal(row["balance"]),
        transaction_type=row["type"],
    )


def _queue_transaction(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "date": row["date"],
        "description": row["description"],
        "counterparty": row["counterparty"],
        "reference": row["reference"],
        "amount": float(row["amount"]),
        "balance": float(row["balance"]),
        "transactionType": row["type"],
    }
