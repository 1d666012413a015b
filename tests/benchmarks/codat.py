"""Pushes to Codat for 5,000 messages of one transaction each, over 5 feeds, as in `calls.py`.

The floor is the smallest number of pushes that can deliver them: one for every 1,000 lines of a feed, the maximum of a
push, so that 5,000 lines in 5 feeds take 5. Codat is its simulator, with a push operation that ends after a delay.
"""

from __future__ import annotations

import json
from typing import Any

from feedlane.companies.source_account import SourceAccountStatus
from feedlane.feeds.upstream import STATEMENT_LINES_MAX
from feedlane.ids import feed_id
from feedlane.pushes.message import QueueMessage
from feedlane.pushes.recording import record
from tests.benchmarks.calls import FEEDS, rows
from tests.benchmarks.figures import Figure
from tests.benchmarks.simulated import Deployment
from tests.fakes.quick_table import QuickTable
from tests.worlds import codat


class World(codat.World):
    """The feeds are linked and mapped through Codat's own pages."""

    def __init__(self) -> None:
        super().__init__()
        for account in FEEDS:
            self.add_account(account)
        self.codat.link.maps = "newAccounts"
        assert self.go_through_link().status == 302
        self.run()
        assert {self.account(account).status for account in FEEDS} == {SourceAccountStatus.CONNECTED}

    def message(self, transactions: list[dict[str, Any]], account: str) -> QueueMessage:
        ids = {"companyId": self.connection.company_id, "connectionId": self.connection.id, "accountId": account}
        body = json.dumps({"version": 1, "transactions": transactions} | ids)
        return QueueMessage(self.new_id(), feed_id(self.connection.id, account), body, self.now)

    def record(self, *messages: QueueMessage, more_to_come: bool = False) -> None:
        record(self.ports, messages, more_to_come)


def run() -> list[Figure]:
    fewest = len(FEEDS) * -(-len(rows()) // STATEMENT_LINES_MAX)
    floor = f"{fewest} pushes: one for every {STATEMENT_LINES_MAX:,} lines of a feed"
    return [Figure("codat_pushes_ratio", feedlane_pushes() / fewest, floor, at_most=1.2)]


def feedlane_pushes() -> int:
    world = World()
    deployment = Deployment(world, QuickTable(), world.upstream)  # type: ignore[arg-type]
    for row in rows():
        for account in FEEDS:
            message = world.message([row], account)
            deployment.push(message.group, message.id, message.body)
    deployment.run()
    expected = [row["id"] for row in rows()]
    for account in FEEDS:
        assert [one.line["id"] for one in world.codat.arrived if one.account_id == account] == expected, account
    return len(world.codat.operations)
