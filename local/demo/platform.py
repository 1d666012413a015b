"""The demo's platform: a bank that uses the unmodified Codat SDK and the queue."""

from __future__ import annotations

import base64
import json
import time
import uuid
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
# Set on every company, so that a consumer can subscribe to their events only.
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
    """`description` is the instance's description, the content of `build/local.json`.

    `upstream`: of its companies, where it is not to be that of the settings.
    """

    def __init__(self, description: dict[str, Any], upstream: str = "") -> None:
        self.description = description
        self.upstream = upstream
        key = base64.b64encode(description["apiKey"].encode()).decode()
        security = shared.Security(auth_header=f"Basic {key}")
        self.sdk = CodatBankFeeds(security=security, server_url=description["apiUrl"])
        self.http = httpx.Client(
            base_url=description["apiUrl"], headers={"Authorization": f"Basic {key}"}, timeout=30, trust_env=False
        )
        self.sqs = boto3.client(
            "sqs",
            endpoint_url=description["awsEndpointUrl"],
            region_name=description["awsRegion"],
            aws_access_key_id=ROOT_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ROOT_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def subscribe(self, receiver: Receiver) -> None:
        """Creates a webhook consumer for all events of this platform's companies."""
        consumer = {"url": receiver.url, "eventTypes": [], "companyTags": [":".join(TAG)]}
        answer = self.http.post("/webhooks", json=consumer)
        if answer.status_code != 201:
            raise Failure(f"POST /webhooks answered {answer.status_code}: {answer.text[:300]}")
        receiver.secret, receiver.consumer_id = answer.json()["signingSecret"], answer.json()["id"]

    # linking

    def create_connection(self, name: str, accounts: list[dict[str, Any]]) -> tuple[str, str, str]:
        """Creates a company with a connection and source accounts. Returns their ids and the customer's link."""
        company = self.sdk.companies.create(request={"name": name, "tags": dict([TAG])})
        if self.upstream:
            self.http.patch(f"/companies/{company.id}", json={"upstream": self.upstream}).raise_for_status()
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

        def find_connected() -> Account | None:
            mappings = self.sdk.account_mapping.get(request=ids)
            account = next(mapped for mapped in mappings if mapped.source_account_id == account_id)
            if account.status != "connected":
                return None
            return Account(company_id, connection_id, account_id, account.source_account_name or account_id)

        return wait_for(find_connected, f"the account {account_id} to be connected")

    def targets(self, company_id: str, connection_id: str, account_id: str) -> dict[str, str]:
        """The Xero accounts that the source account may be mapped to, by name."""
        mappings = self.sdk.account_mapping.get(request={"company_id": company_id, "connection_id": connection_id})
        account = next(mapped for mapped in mappings if mapped.source_account_id == account_id)
        return {option.name: option.id for option in account.target_account_options or []}

    # pushing

    def push(self, account: Account, rows: list[Row]) -> tuple[Any, float]:
        """Pushes through the SDK. Returns the push operation and the duration of the call in seconds."""
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
        """Sends one message to the FIFO queue. Its own deduplication id keeps SQS from dropping what is sent again."""
        message = {
            "version": 1,
            "companyId": account.company_id,
            "connectionId": account.connection_id,
            "accountId": account.id,
            "transactions": [_queue_transaction(row) for row in rows],
        }
        self.sqs.send_message(
            QueueUrl=self.description["transactionsQueueUrl"],
            MessageBody=json.dumps(message),
            MessageGroupId=account.group,
            MessageDeduplicationId=str(uuid.uuid4()),
        )

    def push_refused(self, account: Account, rows: list[Row]) -> errors.ErrorMessage:
        """Pushes and returns the error. Raises `Failure` if the push is accepted."""
        try:
            self.push(account, rows)
        except errors.ErrorMessage as error:
            return error
        raise Failure("A push was accepted that should have been refused.")

    def wait_until_ended(self, company_id: str, key: str) -> Any:
        """The push operation, once it is no longer Pending."""

        def find_ended() -> Any:
            operation = self.sdk.transactions.get_create_operation(
                request={"company_id": company_id, "push_operation_key": key}
            )
            return None if status_of(operation) == "Pending" else operation

        return wait_for(find_ended, f"the push operation {key} to end")

    def holds(self, company_id: str) -> list[dict[str, Any]]:
        """The company's holds."""
        holds = self.http.get("/holds").json()["results"]
        return [hold for hold in holds if hold.get("companyId") == company_id]

    def operations(self, company_id: str) -> list[Any]:
        """All push operations of the company."""
        operations: list[Any] = []
        page = 1
        while True:
            answer = self.sdk.transactions.list_create_operations(
                request={"company_id": company_id, "page": page, "page_size": 500}
            )
            operations += answer.results
            if len(operations) >= answer.total_results:
                return operations
            page += 1


class Customer:
    """The customer's browser without a screen: follows redirects and keeps cookies."""

    def __init__(self) -> None:
        self.browser = httpx.Client(follow_redirects=True, timeout=35, trust_env=False)

    def authorise(self, link_url: str) -> httpx.Response:
        """Follows the link through Xero's consent and back. Returns the last page."""
        page = self.browser.get(link_url)
        if page.status_code != 200:
            raise Failure(f"Link ended on {page.url.path} with {page.status_code}: {page.text[:500]}")
        return page


class Simulator:
    """Xero's side: controls the simulator and reads what it received."""

    name = "Xero"
    # How the path of a call that sends lines ends, and where everything is that was received.
    post_ends = "/Statements"
    record_path = "/_simulator/statements"

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def create_organisation(self, **organisation: Any) -> dict[str, Any]:
        return self._call("POST", "/_simulator/orgs", organisation)

    def change_organisation(self, tenant_id: str, **changes: Any) -> None:
        self._call("PUT", f"/_simulator/orgs/{tenant_id}", changes)

    def consent_to(self, tenant_id: str) -> None:
        self._call("PUT", "/_simulator/consent", {"mode": "auto", "tenantIds": [tenant_id]})

    def order_problem(self, method: str, path: str, tenant_id: str, problem: str) -> None:
        """Has the simulator refuse the organisation's next matching call with this problem."""
        match = {"method": method, "path": path, "tenantId": tenant_id}
        self._call("POST", "/_simulator/faults", {"match": match, "fault": "problem", "problem": problem})

    def record(self) -> bytes:
        """Everything that was received, as the simulator shows it."""
        return self._http.get(self.record_path).raise_for_status().content

    def statements(self, tenant_id: str) -> list[dict[str, Any]]:
        statements = self._call("GET", "/_simulator/statements")["statements"]
        return [statement for statement in statements if statement["tenantId"] == tenant_id]

    def calls(self, tenant_id: str) -> list[dict[str, Any]]:
        return [call for call in self._call("GET", "/_simulator/calls")["calls"] if call["tenant"] == tenant_id]

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            raise Failure(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        content: dict[str, Any] = json.loads(answer.content, parse_float=Decimal) if answer.content else {}
        return content


def status_of(operation: Any) -> str:
    """A push operation's status: an enum of the SDK, or a string if the SDK does not know it."""
    return str(getattr(operation.status, "value", operation.status))


def wait_for(poll: Callable[[], T | None], what: str, seconds: float = 60) -> T:
    """Polls until there is a result, and returns it. Raises `Failure` that names `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while (result := poll()) is None:
        if time.monotonic() > deadline:
            raise Failure(f"Timed out after {seconds:.0f} s waiting for {what}.")
        time.sleep(0.2)
    return result


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
