"""A linked company with connected accounts; the test works off the queues by hand, instead of the functions."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.feeds import push_operation_items
from feedlane.feeds.feed import Feed
from feedlane.feeds.push_operation import PushOperation
from feedlane.follow_ups import PushOperationCheck
from feedlane.ids import feed_id
from feedlane.pushes.api_door import accept
from feedlane.pushes.message import QueueMessage
from feedlane.pushes.recording import record
from feedlane.settings import items as settings_items
from feedlane.statements.sender import Sender
from feedlane.wiring.checks import Checks
from tests import builders
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.rights import acting, acting_as
from tests.worlds.base import BaseWorld


class World(BaseWorld):
    def __init__(self, accounts: tuple[str, ...] = (ACCOUNT,), **options: Any) -> None:
        super().__init__(**options)
        self.sender = acting("push_statements", Sender(self.ports, self.upstream))
        self.checks = acting("check_statements", Checks(self.ports, self.upstream))
        self._link(accounts)

    def _link(self, accounts: tuple[str, ...]) -> None:
        connection = builders.linked(tenant=builders.tenant(time_zone="Europe/London"))
        self.store.commit(
            settings_items.put_settings(builders.settings()),
            company_items.add_company(builders.company()),
            company_items.add_connection(connection),
        )
        for account in accounts:
            feed = builders.feed(connection, account, time_zone="Europe/London")
            self.store.commit(
                company_items.add_source_account(builders.mapped_account(feed)),
                feed_items.add_feed(feed),
            )

    # what the platform does

    def push(self, transactions: list[dict[str, Any]], account: str = ACCOUNT, **options: Any) -> PushOperation:
        body = json.dumps({"accountId": account, "transactions": transactions})
        with acting_as("public_api"):
            operation = accept(self.ports, self.now, COMPANY, CONNECTION, account, body, **options)
        if operation.due is None:
            # The push is on the queue: the check whether it is there has nothing to do.
            self.queues.follow_ups = [
                (message, delay)
                for message, delay in self.queues.follow_ups
                if not (isinstance(message, PushOperationCheck) and message.operation_key == operation.key)
            ]
        return operation

    def message(self, transactions: Any, account: str = ACCOUNT, **fields: Any) -> QueueMessage:
        body = {"version": 1, "companyId": COMPANY, "connectionId": CONNECTION, "accountId": account}
        text = json.dumps(body | {"transactions": transactions} | fields)
        return QueueMessage(self.new_id(), feed_id(CONNECTION, account), text, self.now)

    def record(self, *messages: QueueMessage, more_to_come: bool = False) -> None:
        with acting_as("record_transactions"):
            record(self.ports, messages, more_to_come)

    def take_pushed(self) -> list[QueueMessage]:
        """The messages of pushes through the API, taken from their queue."""
        return [self._received(pushed) for pushed in self.queues.take("pushed")]

    def _received(self, pushed: dict[str, str]) -> QueueMessage:
        return QueueMessage(pushed["id"], pushed["group"], pushed["body"], self.now)

    # what the functions do

    def run(self, steps_max: int = 200) -> None:
        """Works off the queues until they are empty. Delayed messages come when nothing else is left."""
        for _ in range(steps_max):
            if not self.step():
                return
        raise AssertionError("the queues did not empty")

    def step(self) -> bool:
        """Hands over the next message. False if none is left."""
        run = self.queues.run
        if self.queues.pushed:
            for pushed in self.queues.take("pushed"):
                run("record_transactions", pushed, lambda pushed=pushed: self.record(self._received(pushed)))
        elif self.queues.woken:
            feed = self.queues.woken.pop(0)
            run("push_statements", feed, lambda: self.sender.send(str(feed)))
        elif self.queues.follow_ups:
            self.queues.follow_ups.sort(key=lambda delayed: delayed[1])
            delayed = self.queues.follow_ups.pop(0)
            self.now += timedelta(seconds=delayed[1])
            run("check_statements", delayed, lambda: self.checks.dispatch(delayed[0]))
        else:
            return False
        return True

    # what came of it

    def feed(self, account: str = ACCOUNT) -> Feed:
        feed = feed_items.find_feed(self.store, feed_id(CONNECTION, account))
        assert feed is not None
        return feed

    def operation(self, key: str) -> PushOperation:
        return push_operation_items.operation(self.store, COMPANY, key)

    def operations(self) -> list[PushOperation]:
        return list(push_operation_items.operations_of_company(self.store, COMPANY))

    def sent_ids(self) -> list[str]:
        """The ids of the transactions that the upstream has taken, in its order."""
        return [id for statement in self.upstream.taken for id in statement]


def transactions(
    count: int, start: int = 1, day: str = "2026-05-01", opening: float = 0.0, amount: float = 10.0
) -> list[dict[str, Any]]:
    """`count` transactions of one day, numbered from `start`, with running balances."""
    rows = []
    for number in range(start, start + count):
        opening += amount
        rows.append(
            {
                "id": f"t{number}",
                "date": f"{day}T09:00:00",
                "description": f"Sale {number}",
                "amount": amount,
                "balance": round(opening, 2),
                "transactionType": "Credit" if amount > 0 else "Debit",
            }
        )
    return rows
