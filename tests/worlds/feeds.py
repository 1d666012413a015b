"""A linked company with connected accounts, whose queues a test works off by hand instead of the functions."""

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
from tests.worlds.base import BaseWorld


class World(BaseWorld):
    def __init__(self, accounts: tuple[str, ...] = (ACCOUNT,), **parts: Any) -> None:
        super().__init__(**parts)
        self.sender, self.checks = Sender(self.ports, self.upstream), Checks(self.ports, self.upstream)
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

    def push(self, transactions: list[dict[str, Any]], account: str = ACCOUNT, **more: Any) -> PushOperation:
        body = json.dumps({"accountId": account, "transactions": transactions})
        operation = accept(self.ports, self.now, COMPANY, CONNECTION, account, body, **more)
        if operation.due is None:
            # The doorbell has been rung: the check that would ring it again has nothing to do.
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
        record(self.ports, messages, more_to_come)

    # what the functions do

    def run(self, most: int = 200) -> None:
        """Works off the queues until they are empty. Delayed messages come when nothing else is left."""
        for _ in range(most):
            if not self.step():
                return
        raise AssertionError("the queues did not empty")

    def step(self) -> bool:
        """Hands over what comes next. False if nothing is left."""
        if self.queues.pushed:
            for message in self.queues.take("pushed"):
                self.record(QueueMessage(message["id"], message["group"], message["body"], self.now))
        elif self.queues.woken:
            self.sender.send(self.queues.woken.pop(0))
        elif self.queues.follow_ups:
            self.queues.follow_ups.sort(key=lambda sent: sent[1])
            check, delay = self.queues.follow_ups.pop(0)
            self.now += timedelta(seconds=delay)
            self.checks.dispatch(check)
        else:
            return False
        return True

    # what can be seen

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
    made = []
    for number in range(start, start + count):
        opening += amount
        made.append(
            {
                "id": f"t{number}",
                "date": f"{day}T09:00:00",
                "description": f"Sale {number}",
                "amount": amount,
                "balance": round(opening, 2),
                "transactionType": "Credit" if amount > 0 else "Debit",
            }
        )
    return made
