"""A connection that can go from either upstream to the other: Codat's simulator here, Xero in memory there."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Any

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, ConnectionStatus, UpstreamName
from feedlane.companies.source_account import SourceAccountStatus
from feedlane.errors import Unavailable
from feedlane.ids import feed_id
from feedlane.link import upstream_change
from feedlane.mapping import mapping
from feedlane.pushes.message import QueueMessage
from feedlane.pushes.recording import record
from feedlane.statements import in_flight
from feedlane.upkeep import overdue
from feedlane.wiring.checks import Checks
from tests.interruptions import Crashed
from tests.rights import acting, acting_as
from tests.worlds import codat
from tests.worlds.codat import ACCOUNT

XERO, CODAT = UpstreamName.XERO, UpstreamName.CODAT


class World(codat.World):
    """Begins unlinked, at `start`. `ended` are the connections that were ended at Xero."""

    def __init__(self, start: UpstreamName = XERO, accounts: tuple[str, ...] = (ACCOUNT,)) -> None:
        super().__init__()
        self.ended: list[str] = []
        self.away = False
        self.checks = acting(
            "check_statements",
            Checks(self.ports, self.upstream, at_codat=self.checks.at_codat, disconnect=self.disconnect),
        )
        self.store.commit(company_items.put_connection(self.connection.but(upstream=start)))
        self.connection = self.current()
        self.codat.link.maps = "nothing"
        for account in accounts:
            self.add_account(account)

    def disconnect(self, connection: Connection) -> None:
        if self.away:
            raise Unavailable("outage")
        if connection.is_direct:
            assert connection.tenant is not None
            self.ended.append(connection.tenant.xero_connection_id)
        elif connection.hosted is not None:
            self.site.hosted_link.disconnect(connection.hosted)

    def change(self, to: UpstreamName) -> Connection:
        doubt = partial(in_flight.has_doubt, self.ports)
        ids = (self.connection.company_id, self.connection.id)
        with acting_as("public_api"):
            return upstream_change.change(self.ports, self.upstream, self.disconnect, doubt, self.now, *ids, to)

    def consent(self) -> None:
        """The customer links the connection at the upstream that it has. Raises `Crashed` if the function has."""
        started = self.browser.get(f"{self.base()}/start")
        page = started
        if started.status == 302 and self.current().is_direct:
            page = self.call_back(started.query["state"], f"code-{self.new_id()}")
        elif started.status == 302:
            page = self.come_back(self.visit(started.location))
        if page.status >= 500:
            raise Crashed(page.body)
        assert self.current().status is ConnectionStatus.LINKED, page.body

    def map_accounts(self, target: str = "") -> None:
        """Maps every account that is not, to the account `x-1` at Xero, or to a new one of its own."""
        for account in company_items.source_accounts(self.store, self.connection.id):
            if account.mapping is None:
                with acting_as("link", "public_api"):
                    mapping.map_account(self.ports, self.upstream, self.now, self.current(), account, target or None)
        for _ in range(20):
            accounts = company_items.source_accounts(self.store, self.connection.id)
            if all(account.status is SourceAccountStatus.CONNECTED for account in accounts):
                return
            self.step()

    def ready(self) -> World:
        self.consent()
        self.map_accounts()
        self.run()
        return self

    def watch(self, runs: int = 6) -> None:
        """The watch, every ten minutes: all that brings a lost message back."""
        for _ in range(runs):
            self.now += timedelta(minutes=10)
            with acting_as("tend_connections"):
                overdue.ring(self.ports)
            self.run()

    def record(self, transactions: list[dict[str, Any]], account: str = ACCOUNT) -> None:
        """What the platform puts on the queue."""
        ids = {"companyId": self.connection.company_id, "connectionId": self.connection.id, "accountId": account}
        text = json.dumps({"version": 1, "transactions": transactions} | ids)
        with acting_as("record_transactions"):
            record(self.ports, [QueueMessage(self.new_id(), feed_id(self.connection.id, account), text, self.now)])

    @property
    def at_xero(self) -> list[str]:
        """The ids of the lines that Xero has got directly, in order."""
        return [id for statement in self.direct.taken for id in statement]

    @property
    def spans(self) -> list[tuple[str, int]]:
        return [(span.upstream.value, span.first) for span in self.feed().spans]
