"""The main job of a customer with the whole product, in memory, against the simulator over real HTTP."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

import httpx

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import ReconnectionNeeded, Refused, Unavailable
from feedlane.events import event as event_types
from feedlane.feeds.upstream import TenantAccess
from feedlane.link import linking
from feedlane.mapping import mapping, unmapping
from feedlane.settings import items as settings_items
from feedlane.xero.consent import XeroOrganisations
from feedlane.xero.identity import authorize_url
from local.simulator.consent import LOGIN_HOST
from local.simulator.state import DEFAULT_CLIENT_ID
from tests import builders
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.contract.xero.conftest import BAKERY, REDIRECT, SCOPES, Xero
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions

DAY = "2026-06-10"
WITHOUT_BANK_FEEDS = "organisation-without-bank-feeds"


class Did(NamedTuple):
    """What came of it.

    `at_xero` are the ids in the customer's account, in order of arrival. `held` are the reasons of all holds that were
    placed, `stuck` of all statements that were reported, `asked` why the customer was asked to reconnect.
    """

    at_xero: list[str]
    account: SourceAccountStatus = SourceAccountStatus.CONNECTED
    held: list[str] = []
    stuck: list[str] = []
    asked: list[str] = []


class Job(World):
    """A company whose customer has not come yet, and its account. Both clocks move together."""

    def __init__(self, xero: Xero) -> None:
        self.xero = xero
        super().__init__(accounts=(), now=xero.now(), upstream=xero.feeds)

    def _link(self, accounts: tuple[str, ...]) -> None:
        connection = builders.pending()
        self.store.commit(
            settings_items.put_settings(builders.settings(client_id=DEFAULT_CLIENT_ID)),
            company_items.add_company(builders.company()),
            company_items.add_connection(connection),
            company_items.add_source_account(builders.source_account(connection, account_number="777")),
        )

    @property
    def connection(self) -> Connection:
        return company_items.connection(self.store, COMPANY, CONNECTION)

    @property
    def account(self) -> SourceAccount:
        return company_items.source_account(self.store, CONNECTION, ACCOUNT)

    @property
    def access(self) -> TenantAccess:
        assert self.connection.token_set_id is not None
        return TenantAccess(tenant_id=BAKERY, token_set_id=self.connection.token_set_id)

    # what people do

    def consent(self, scopes: tuple[str, ...] = SCOPES) -> Connection:
        """The customer authorises the app in a browser and comes back."""
        self.xero.control("PUT", "consent", {"mode": "auto", "tenantIds": [BAKERY]})
        organisations = XeroOrganisations(self.xero.connections, self.xero.accounting, self.xero.tokens)
        linker = linking.Linking(self.ports, self.xero.vault, organisations, REDIRECT)
        linked = linker.finish_authorisation(self.connection, self.code(scopes), self.now)
        assert isinstance(linked, Connection)
        return linked

    def code(self, scopes: tuple[str, ...] = SCOPES) -> str:
        location = self.authorize(scopes).headers["location"]
        return str(httpx.URL(location).params["code"])

    def authorize(self, scopes: tuple[str, ...] = SCOPES) -> httpx.Response:
        """The browser asks for the consent page, at the host where Xero has it."""
        url = authorize_url(self.xero.url, DEFAULT_CLIENT_ID, REDIRECT, scopes, "state-1")
        own = self.xero.control("GET", "behaviour")["loginHost"] == "own"
        host = f"{LOGIN_HOST}:{httpx.URL(url).port}" if own else httpx.URL(url).netloc.decode()
        return self.xero.http.get(url, headers={"Host": host})

    def map(self) -> None:
        """A refusal is shown to whoever maps, and recorded. Whoever gets no answer tries again."""
        with acting_as("public_api", "link"), suppress(Refused, ReconnectionNeeded, Unavailable):
            mapping.map_account(self.ports, self.upstream, self.now, self.connection, self.account)

    def in_currency(self, currency: str) -> None:
        self.store.commit(company_items.put_source_account(self.account.but(currency=currency)))

    def archive_target(self, archived: bool) -> None:
        """The customer archives, or restores, the account at Xero that is fed."""
        mapping = self.account.mapping
        assert mapping is not None
        path = f"orgs/{BAKERY}/accounts/{mapping.target_account_id}"
        self.xero.control("PUT", path, {"archived": archived})

    def unmap(self) -> None:
        with acting_as("public_api", "link"):
            unmapping.unmap(self.ports, self.upstream, self.now, self.connection, self.account)

    def queue(self, count: int, start: int = 1, day: str = DAY, opening: float | None = None, **fields: Any) -> None:
        """Pushes transactions with running balances through the queue."""
        first = 10.0 * (start - 1) if opening is None else opening
        rows = transactions(count, start=start, day=day, opening=first)
        self.record(self.message([row | fields for row in rows]))

    def begin(self) -> None:
        """The customer's consent and the mapping, until the account is connected."""
        self.consent()
        self.map()
        self.pass_day()

    # what passes

    def step(self) -> bool:
        before = self.now
        went_on = super().step()
        if self.now > before:
            self.xero.advance((self.now - before).total_seconds())
        return went_on

    def advance(self, **by: float) -> None:
        super().advance(**by)
        self.xero.advance(timedelta(**by).total_seconds())

    def pass_day(self) -> None:
        """Works off the queues, for a day at most."""
        until = self.now + timedelta(days=1)
        while self.now < until and self.step():
            pass

    def did(self) -> Did:
        ledgers = self.xero.control("GET", "ledgers")["ledgers"]
        asked = self.events(event_types.CONNECTION_NEEDS_RECONNECTION, event_types.CONNECTION_DISCONNECTED)
        return Did(
            [line["transactionId"] for ledger in ledgers for line in ledger["lines"]],
            self.account.status,
            [event.payload["reason"] for event in self.events(event_types.HELD)],
            [event.payload["reason"] for event in self.events(event_types.STATEMENT_STUCK)],
            [fault.reason for fault in self.connection.errors] if asked else [],
        )
