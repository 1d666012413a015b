"""The deployed system for the benchmarks: an instance of its own, with feeds, and functions that do nothing."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local import system
from local.demo.platform import Account, Customer, Platform, Simulator
from local.instance import Instance, architecture, runtime
from local.ports import free_ports

PORTS = (4596, 8483, 8493, 8503)
TENANTS, ACCOUNTS_PER_TENANT = 5, 4
ACCOUNTS = [
    {
        "id": f"current-{number}",
        "account_name": f"Current account {number}",
        "account_type": "checking",
        "account_number": f"2001123{number}",
        "sort_code": "040004",
        "currency": "GBP",
        "balance": 0,
    }
    for number in range(ACCOUNTS_PER_TENANT)
]
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
# It logs a line, as every function does: MiniStack waits 50 ms for a silent one, which would flatter the product.
IDLE_HANDLER = """def handler(event, context):
    print("answered", flush=True)
    return {"statusCode": 200, "body": "{}"}
"""
# The least that "once" needs: one transaction per batch, which counts the messages on the group's item and fails if it
# has seen the batch before.
ONCE_HANDLER = """import os

import boto3

table = boto3.client("dynamodb")


def handler(event, context):
    records, name = event["Records"], os.environ["TABLE_NAME"]
    group = "BENCH#" + records[0]["attributes"]["MessageGroupId"]
    table.transact_write_items(
        TransactItems=[
            {
                "Update": {
                    "TableName": name,
                    "Key": {"pk": {"S": group}, "sk": {"S": "HEAD"}},
                    "UpdateExpression": "ADD recorded :count",
                    "ExpressionAttributeValues": {":count": {"N": str(len(records))}},
                }
            },
            {
                "Put": {
                    "TableName": name,
                    "Item": {
                        "pk": {"S": group},
                        "sk": {"S": records[0]["messageId"]},
                        "lines": {"S": "".join(record["body"] for record in records)},
                    },
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
        ]
    )
    print("answered", flush=True)
"""
MEMORY_MB = 1024


@dataclass(frozen=True)
class Stack:
    """The connected `feeds`: one per account, the first of each tenant before the second ones."""

    instance: Instance
    platform: Platform
    simulator: Simulator
    feeds: list[Account]

    def client(self, service: str) -> Any:
        return self.instance.client(service)

    def consume(self, enabled: bool) -> None:
        """Enables or disables the function behind `transactions.fifo`."""
        url, aws = self.platform.description["transactionsQueueUrl"], self.client("lambda")
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        arn = attributes["QueueArn"]
        for mapping in aws.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]:
            aws.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)

    def delivered(self, feed: Account) -> int:
        """How many of the feed's transactions Xero has."""
        item = self.client("dynamodb").get_item(
            TableName=self.instance.outputs()["TableName"], Key={"pk": {"S": f"FEED#{feed.group}"}, "sk": {"S": "FEED"}}
        )["Item"]
        return int(item["delivered_through"]["N"])

    def layers(self) -> list[str]:
        """The layers that every function has."""
        function = f"{self.platform.description['stackName']}-public_api"
        return [
            layer["Arn"] for layer in self.client("lambda").get_function_configuration(FunctionName=function)["Layers"]
        ]

    def function(self, name: str, layers: list[str] | None = None, code: str = IDLE_HANDLER) -> str:
        """Creates a function of this code, which does nothing unless it says otherwise, and returns its ARN."""
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_policy(TRUST))["Role"]["Arn"]
        consume = {"Effect": "Allow", "Action": ["sqs:*", "dynamodb:*"], "Resource": "*"}
        self.client("iam").put_role_policy(RoleName=name, PolicyName="needs", PolicyDocument=_policy(consume))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("app.py", code)
        function = self.client("lambda").create_function(
            FunctionName=name,
            Runtime=runtime(),
            Architectures=[architecture()],
            Handler="app.handler",
            MemorySize=MEMORY_MB,
            Role=role,
            Layers=layers or [],
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": {"TABLE_NAME": self.instance.outputs()["TableName"]}},
        )
        return str(function["FunctionArn"])


@contextmanager
def running() -> Iterator[Stack]:
    """Starts the system and stops it afterwards."""
    instance = Instance("bench", *free_ports(PORTS))
    try:
        description = system.start(instance)
        platform, simulator = Platform(description), Simulator(description["simulatorUrl"])
        tenants = [_feeds(platform, simulator, number) for number in range(TENANTS)]
        yield Stack(instance, platform, simulator, [feed for feeds in zip(*tenants, strict=True) for feed in feeds])
    finally:
        system.stop(instance)


def settle(check: Any, what: str, seconds: float = 120, pause: float = 0.05) -> float:
    """Waits until `check` is true. Returns that time by `time.perf_counter`."""
    deadline = time.perf_counter() + seconds
    while not check():
        if time.perf_counter() > deadline:
            raise TimeoutError(f"timed out after {seconds:.0f} s waiting for {what}")
        time.sleep(pause)
    return time.perf_counter()


def _feeds(platform: Platform, simulator: Simulator, number: int) -> list[Account]:
    name = f"Company {number}"
    organisation = simulator.create_organisation(name=name, country="GB", currency="GBP", demo=False, bankFeeds=True)
    simulator.consent_to(organisation["tenantId"])
    company, connection, link = platform.create_connection(name, ACCOUNTS)
    Customer().authorise(link)
    return [platform.map_account(company, connection, str(account["id"]), None) for account in ACCOUNTS]


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
