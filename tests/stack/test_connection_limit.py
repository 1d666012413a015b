"""The connection limit on the deployed stack: many customers come back from Xero at the same moment.

Each of them is an environment of two functions, which MiniStack takes a second to start: by default few come, to few
free places. `make callbacks` lets forty come to 25.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from feedlane.clock import iso
from feedlane.companies import connection_limit
from feedlane.companies import items as company_items
from feedlane.companies.connection import Connection, Tenant
from feedlane.ids import new_id
from feedlane.scope import APP_SUBJECT
from feedlane.store import keys
from feedlane.store.table import Index
from local.instance import Instance
from tests.stack.probes.given import Given, given
from tests.stack.road import Browser, Road

LIMIT = 25
CALLBACKS = int(os.environ.get("CALLBACKS", "12"))
FREE = CALLBACKS * 5 // 8
REACHED = "connectionLimit.reached"


@dataclass
class Coming:
    """A customer who is about to come back from Xero: `answer` is the address that Xero sends the browser to."""

    company: str
    connection: str
    link: str
    tenant: str
    user: str
    browser: Browser
    answer: str = ""


class Crowd:
    def __init__(self, instance: Instance) -> None:
        self.road = Road(instance)
        self.given: Given = given(instance)
        self.begun = self.given.now
        self.xero = httpx.Client(base_url=instance.simulator_url, timeout=30, trust_env=False)
        self.others: list[Connection] = []

    def leave(self, free: int) -> None:
        """So many places are free: others have the rest. What other tests have left at Xero has none."""
        left = self.given.store.table.query(keys.PLACES, index=Index.LISTS)
        self.given.store.table.delete_many([keys.place(item["tenant_id"]) for item in left])
        for _ in range(LIMIT - free - self.counted()):
            tenant = Tenant(id=new_id(), name="Other", xero_connection_id=new_id(), base_currency="GBP")
            self.others.append(self.given.linked(tenant=tenant))
        assert self.counted() == LIMIT - free

    def close(self) -> None:
        self.control("PUT", "app", {"connectionLimit": LIMIT})
        for other in self.others:
            self.given.store.commit(company_items.remove_connection(other))
        self.road.close()
        self.counted()

    def customer(self, name: str, demo: bool = False) -> Coming:
        organisation = {"name": name, "country": "GB", "currency": "GBP", "demo": demo, "bankFeeds": True}
        tenant = self.road.simulator.create_organisation(**organisation, accounts=[])["tenantId"]
        company, connection, link = self.road.create(name)
        return Coming(company, connection, link, tenant, new_id(), Browser())

    def consent(self, one: Coming, link: str = "") -> None:
        """From the link to Xero, where the customer agrees; not yet back."""
        there = one.browser.http.get(link or one.link)
        assert there.status_code == 302, there.text[:300]
        self.control("PUT", "consent", {"mode": "auto", "tenantIds": [one.tenant], "userId": one.user})
        one.answer = self.xero.get(there.headers["location"]).headers["location"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        return self.xero.request(method, f"/_simulator/{path}", json=body).raise_for_status().json()

    def warm_up(self) -> None:
        """So many environments of both functions are started, as a busy deployment has them."""
        callback = f"{self.road.instance.api_url}/oauth/callback"

        def both(_: int) -> None:
            with suppress(httpx.HTTPError):
                httpx.get(callback, params={"state": "none", "code": "x"}, timeout=60, trust_env=False)
            self.given.functions.call(
                "credential_vault:deliver_webhooks", {"action": "webhook_secrets", "consumer_id": new_id()}
            )

        with ThreadPoolExecutor(CALLBACKS) as pool:
            list(pool.map(both, range(CALLBACKS)))

    def counted(self) -> int:
        return connection_limit.recount(self.given.store)

    def told(self) -> int:
        """How often it was told since the beginning that the limit is reached."""
        events = self.given.store.table.query(f"EVENT#{APP_SUBJECT}", start=iso(self.begun))
        return sum(item["type"] == REACHED for item in events)

    def status(self, one: Coming) -> str:
        found = self.road.platform.http.get(f"/companies/{one.company}/connections/{one.connection}")
        return str(found.json()["status"])

    def connected_at_xero(self) -> set[str]:
        return {one["tenantId"] for one in self.control("GET", "connections")["connections"]}


@pytest.fixture
def crowd(instance: Instance) -> Iterator[Crowd]:
    """Xero's own limit is out of the way: it is Feedlane's that has to hold."""
    crowd = Crowd(instance)
    crowd.control("PUT", "app", {"connectionLimit": None})
    try:
        yield crowd
    finally:
        crowd.close()


def test_of_many_who_come_back_at_once_exactly_as_many_are_linked_as_the_limit_allows(crowd: Crowd) -> None:
    # Given more organisations than places, and a demo company, whose customers have all agreed at Xero
    crowd.leave(FREE)
    customers = [crowd.customer(f"Shop {number}") for number in range(CALLBACKS - 1)]
    demo = crowd.customer("Demo Company (UK)", demo=True)
    for one in (*customers, demo):
        crowd.consent(one)
    crowd.warm_up()

    # When all come back at the same moment
    with ThreadPoolExecutor(CALLBACKS) as pool:
        pages = dict(zip(map(id, (*customers, demo)), pool.map(_comes_back, (*customers, demo)), strict=True))

    # Then exactly as many are linked as places were free, and the demo company
    statuses = Counter(pages[id(one)].status_code for one in customers)
    assert statuses == {302: FREE, 402: CALLBACKS - 1 - FREE}, statuses
    assert pages[id(demo)].status_code == 302
    assert crowd.status(demo) == "Linked"
    linked = [one for one in customers if pages[id(one)].status_code == 302]
    refused = [one for one in customers if pages[id(one)].status_code == 402]
    assert Counter(crowd.status(one) for one in customers) == {"Linked": len(linked), "PendingAuth": len(refused)}
    assert crowd.counted() == LIMIT

    # And the others see why, and what to do; they take no place at Xero; and it is told once
    for one in refused:
        text = pages[id(one)].text
        assert "No more connections are available" in text
        assert "it can ask Xero for a higher limit, or free a connection" in text
    assert not crowd.connected_at_xero() & {one.tenant for one in refused}
    assert crowd.told() == 1

    # When one more starts, then Link stops before Xero, and nothing is told again
    late = refused[0]
    page = late.browser.http.get(late.link)
    assert (page.status_code, "No more connections are available" in page.text) == (402, True)
    assert crowd.told() == 1

    # But whoever is linked may come again
    again = linked[0]
    crowd.consent(again, f"{again.link}?link.reconnect=1")
    assert _comes_back(again).status_code == 302
    assert crowd.status(again) == "Linked"
    assert crowd.counted() == LIMIT

    # And a place that is freed is free
    freed = linked[1]
    ended = crowd.road.platform.http.patch(
        f"/companies/{freed.company}/connections/{freed.connection}", json={"status": "Unlinked"}
    )
    assert ended.status_code == 200
    crowd.consent(late)
    assert _comes_back(late).status_code == 302
    assert crowd.counted() == LIMIT


def _comes_back(one: Coming) -> httpx.Response:
    return one.browser.http.get(one.answer)
