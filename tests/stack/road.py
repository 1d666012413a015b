"""A platform on the deployed stack, as tests use it: the unmodified SDK, the queue, a customer, Xero, webhooks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from local.demo import ledgers
from local.demo.codat import CodatSimulator
from local.demo.platform import TAG, Account, Customer, Platform, Row, Simulator, status_of, wait_for
from local.demo.receiver import Receiver
from local.instance import STACK, Instance

ACCOUNT = {
    "account_name": "Current account",
    "account_type": "checking",
    "sort_code": "040004",
    "currency": "GBP",
    "balance": 0,
}


@dataclass(frozen=True)
class Linked:
    """A company whose customer has consented, with its accounts mapped.

    `arrival` is the page on which the customer, who has its cookies, arrived.
    """

    tenant: str
    company: str
    connection: str
    accounts: dict[str, Account]
    customer: Customer
    arrival: httpx.Response


class Road:
    def __init__(self, instance: Instance, upstream: str = "") -> None:
        """With the `upstream` codat, its companies are fed through Codat, whose simulator has to be there."""
        self.instance = instance
        described = instance.read_description()
        self.platform = Platform(described, upstream)
        is_through_codat = upstream == "codat"
        url = instance.codat_simulator_url if is_through_codat else described["simulatorUrl"]
        self.simulator = CodatSimulator(url) if is_through_codat else Simulator(url)
        self.receiver = Receiver()
        self.platform.subscribe(self.receiver)

    def close(self) -> None:
        """Ends its connections too: the app can have 25 of them, and the instance may be kept."""
        self.platform.http.delete(f"/webhooks/{self.receiver.consumer_id}")
        self.receiver.close()
        own = self.platform.http.get("/companies", params={"tags": "=".join(TAG), "pageSize": 500}).json()
        for company in own["results"]:
            self.platform.http.delete(f"/companies/{company['id']}").raise_for_status()

    def create(self, name: str, *accounts: str) -> tuple[str, str, str]:
        """A company with a connection and these source accounts. The ids, and the link for its customer."""
        numbered = [ACCOUNT | {"id": id, "account_number": f"2001123{n}"} for n, id in enumerate(accounts)]
        return self.platform.create_connection(name, numbered)

    def link(self, name: str, *accounts: str, targets: dict[str, str] | None = None) -> Linked:
        """Each account is mapped to a new Xero account, or to the existing one that `targets` names."""
        existing = [
            {"name": target, "type": "BANK", "number": f"0400042001123{n}", "currency": "GBP"}
            for n, target in enumerate((targets or {}).values())
        ]
        tenant = self.simulator.create_organisation(
            name=name, country="GB", currency="GBP", demo=False, bankFeeds=True, accounts=existing
        )["tenantId"]
        self.simulator.consent_to(tenant)
        company, connection, link = self.create(name, *accounts)
        customer = Customer()
        arrival = customer.authorise(link)
        mapped = {}
        for account in accounts:
            target = (targets or {}).get(account)
            id = self.platform.targets(company, connection, account)[target] if target else None
            mapped[account] = self.platform.map_account(company, connection, account, id)
        return Linked(tenant, company, connection, mapped, customer, arrival)

    def push(self, account: Account, rows: list[Row]) -> str:
        operation, _ = self.platform.push(account, rows)
        return str(operation.push_operation_key)

    def delivered(self, linked: Linked, count: int) -> list[dict[str, Any]]:
        """The organisation's delivered statements, once they have this many lines."""

        def found() -> list[dict[str, Any]] | None:
            statements = [one for one in self.simulator.statements(linked.tenant) if one["status"] == "DELIVERED"]
            return statements if sum(len(one["lines"]) for one in statements) >= count else None

        return wait_for(found, f"{count} lines to be delivered")

    def operations(self, company_id: str, count: int) -> list[Any]:
        """The company's push operations, once there are so many and none is Pending."""

        def found() -> list[Any] | None:
            operations = self.platform.operations(company_id)
            ended = len(operations) >= count and all(status_of(one) != "Pending" for one in operations)
            return operations if ended else None

        return wait_for(found, f"{count} push operations to end")

    def send(self, body: str, group: str) -> None:
        """A message straight onto the queue, whatever is in it."""
        url = self.platform.description["transactionsQueueUrl"]
        self.platform.sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=str(uuid.uuid4())
        )

    def dead_letters(self, *bodies: str) -> dict[str, str]:
        """The reasons of these messages, by body, once all are in the dead-letter queue. They are taken out of it."""
        sqs = self.platform.sqs
        url = sqs.get_queue_url(QueueName=f"{STACK}-transactions-dead-letters.fifo")["QueueUrl"]
        reasons: dict[str, str] = {}

        def found() -> dict[str, str] | None:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            for message in answer.get("Messages", []):
                if message["Body"] in bodies:
                    reasons[message["Body"]] = message["MessageAttributes"]["reason"]["StringValue"]
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return reasons if set(reasons) == set(bodies) else None

        return wait_for(found, "the messages to be set aside", 30)


class Browser:
    """A customer's browser that stops where it is told: to hold on to what Xero's consent is asked with."""

    def __init__(self) -> None:
        self.http = httpx.Client(timeout=35, trust_env=False)

    def start(self, link_url: str) -> str:
        """The state that Link gives out."""
        return httpx.URL(self.http.get(link_url).headers["location"]).params["state"]


def make_cold(instance: Instance, function: str) -> None:
    """A changed configuration, if only to what it was, ends the environments that run."""
    client, name = instance.client("lambda"), f"{STACK}-{function}"
    environment = client.get_function_configuration(FunctionName=name)["Environment"]
    client.update_function_configuration(FunctionName=name, Environment=environment)
    wait_for(
        lambda: client.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "Successful" or None,
        "the configuration to be updated",
    )


def rows(count: int, name: str = "row") -> list[Row]:
    """Transactions of yesterday that follow one another."""
    day = ledgers.yesterday().isoformat()
    return [_row(f"{name}-{number}", day, number) for number in range(1, count + 1)]


def year(account: str = "current") -> list[Row]:
    """The demonstration's real input, dated up to yesterday."""
    return ledgers.year_until(ledgers.yesterday())[account]


def _row(id: str, day: str, number: int) -> Row:
    amount = Decimal("1.25")
    return {
        "id": id,
        "date": day,
        "description": f"Sale {number}",
        "counterparty": "Mill Street Cafe",
        "reference": f"REF{number}",
        "amount": str(amount),
        "balance": str(amount * number),
        "type": "Credit",
    }
