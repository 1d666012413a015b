"""The life of a feed connection, with the whole domain against the simulator: refused, ended in Xero, made again."""

from __future__ import annotations

from contextlib import suppress

import pytest

from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection
from feedlane.companies.source_account import SourceAccount, SourceAccountStatus
from feedlane.errors import Refused
from feedlane.holds import items as hold_items
from feedlane.mapping import mapping, unmapping
from tests import builders
from tests.builders import ACCOUNT, COMPANY, CONNECTION
from tests.contract.simulator.driver import NOON
from tests.contract.xero.conftest import BAKERY, BOTH_VERSIONS, Xero
from tests.hold_actions import lift
from tests.rights import acting_as
from tests.worlds.feeds import World, transactions

pytestmark = BOTH_VERSIONS

DAY = "2026-06-10"
FEEDS_CALLERS = ("public_api", "link")


class Life(World):
    """A linked organisation of the simulator, and an account to be mapped. Both clocks move together."""

    def __init__(self, xero: Xero, tenant_id: str = BAKERY) -> None:
        super().__init__(accounts=(), now=NOON, upstream=xero.feeds)
        self.xero = xero
        tenant = builders.tenant(tenant_id, country="GB", time_zone="Europe/London")
        token_set = xero.access(tenant_id).token_set_id
        self.store.commit(
            company_items.put_connection(self.connection.but(tenant=tenant, token_set_id=token_set)),
            company_items.add_source_account(builders.source_account(self.connection, account_number="777")),
        )

    @property
    def connection(self) -> Connection:
        return company_items.connection(self.store, COMPANY, CONNECTION)

    @property
    def account(self) -> SourceAccount:
        return company_items.source_account(self.store, CONNECTION, ACCOUNT)

    def step(self) -> bool:
        before = self.now
        went_on = super().step()
        self.xero.advance((self.now - before).total_seconds())
        return went_on

    def map(self) -> None:
        with acting_as(*FEEDS_CALLERS):
            mapping.map_account(self.ports, self.upstream, self.now, self.connection, self.account)

    def unmap(self) -> None:
        with acting_as(*FEEDS_CALLERS):
            unmapping.unmap(self.ports, self.upstream, self.now, self.connection, self.account)

    def queue(self, count: int, start: int = 1) -> None:
        self.record(self.message(transactions(count, start=start, day=DAY, opening=10.0 * (start - 1))))
        self.run()

    def delivered(self) -> list[str]:
        statements = self.xero.control("GET", "statements")["statements"]
        return [
            line["transactionId"]
            for statement in statements
            if statement["status"] == "DELIVERED"
            for line in statement["lines"]
        ]


@pytest.mark.parametrize("when", ["checked", "checkedLater"])
def test_without_bank_feeds_it_is_held_and_the_release_connects_and_sends(xero: Xero, when: str) -> None:
    xero.control("PUT", f"orgs/{BAKERY}", {"bankFeeds": False, "feedConnectionsAllowed": False})
    xero.control("PUT", "behaviour", {"feedConnections": when})
    life = Life(xero)
    with suppress(Refused):
        life.map()
    life.run()
    [hold] = hold_items.holds(life.store)
    assert hold.reason == "organisation-without-bank-feeds"
    life.queue(2)
    lift(life, hold)  # too early
    life.run()
    [hold] = hold_items.holds(life.store)
    xero.control("PUT", f"orgs/{BAKERY}", {"bankFeeds": True})
    lift(life, hold)
    life.run()
    assert life.account.status is SourceAccountStatus.CONNECTED
    assert life.delivered() == ["t1", "t2"]
    assert hold_items.holds(life.store) == []
    assert len(life.events("bankFeeds.held")) == 2


def test_ended_in_xero_it_is_shown_told_and_made_again(xero: Xero) -> None:
    life = Life(xero)
    life.map()
    life.queue(2)
    xero.control("DELETE", f"feedConnections/{life.feed().feed_connection_id}")
    life.queue(2, start=3)
    assert (life.account.status, life.account.mapping) == (SourceAccountStatus.DISCONNECTED, None)
    assert [hold.reason for hold in hold_items.holds(life.store)] == ["feed-connection-gone"]
    assert len(life.events("bankFeeds.sourceAccount.disconnected")) == 1
    life.map()
    life.run()
    assert life.account.status is SourceAccountStatus.CONNECTED
    assert life.delivered() == ["t1", "t2", "t3", "t4"]
    assert hold_items.holds(life.store) == []


def test_disconnected_and_mapped_again_at_once_it_becomes_connected_and_stays_so(xero: Xero) -> None:
    life = Life(xero)
    life.map()
    life.queue(2)
    xero.control("PUT", "timing", {"feedConnectionSeconds": 40})
    life.unmap()
    life.map()
    assert life.account.status is SourceAccountStatus.CONNECTING
    life.queue(2, start=3)
    assert life.account.status is SourceAccountStatus.CONNECTED
    assert life.delivered() == ["t1", "t2", "t3", "t4"]


def test_a_country_that_is_demanded_only_later_is_given(xero: Xero) -> None:
    xero.control("PUT", "behaviour", {"feedConnections": "checkedLater", "country": "required"})
    life = Life(xero)
    life.map()
    life.queue(2)
    assert life.account.status is SourceAccountStatus.CONNECTED
    assert life.delivered() == ["t1", "t2"]
