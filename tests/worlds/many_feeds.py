"""An app with very many feeds, all of which have something to send; and invocations whose time runs out."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from feedlane.checking import Checker
from feedlane.company import Company
from feedlane.connection import Connection, ConnectionStatus, Tenant
from feedlane.event import Event
from feedlane.feed import Feed, feed_id
from feedlane.ids import derived_id
from feedlane.queues import Check
from feedlane.settings import Settings
from feedlane.source_account import Mapping, SourceAccount, SourceAccountStatus
from feedlane.store import ledger
from feedlane.store.store import Store
from feedlane.store.table import Item, Key, Put, Write
from tests.fakes.queues import FakeQueues
from tests.fakes.table import MemoryTable
from tests.fakes.upstream import FakeUpstream
from tests.unit.feeds.moments import Crashed, crash_at
from tests.worlds.feeds import NOW

WAITING = 2
COMPANIES = 100


class LargeTable(MemoryTable):
    """Finds a partition without looking at every item, and counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self._partitions: dict[str, dict[Key, None]] = defaultdict(dict)

    def _apply(self, write: Write) -> None:
        super()._apply(write)
        if isinstance(write, Put):
            for pk in {write.item["pk"], write.item.get("gsi1pk", write.item["pk"])}:
                self._partitions[pk][write.key] = None

    def query(self, pk: str, **how: Any) -> Iterable[Item]:
        self.calls["query"] += 1
        everything, own = self.items, self._partitions.get(pk, {})
        self.items = {key: everything[key] for key in own if key in everything}
        try:
            return super().query(pk, **how)
        finally:
            self.items = everything

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        wanted = list(keys)
        self.calls["get_many"] += -(-len(wanted) // 100)
        return super().get_many(wanted)

    def commit(self, *writes: Write) -> None:
        self.calls["commit"] += 1
        super().commit(*writes)


class Many:
    """So many connections, with so many feeds on them in turn."""

    def __init__(self, connections: int, feeds: int) -> None:
        self.now = NOW
        self.table = LargeTable()
        self.store = Store(self.table)
        self.queues = FakeQueues()
        numbers = itertools.count(1)
        self.new_id = lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"
        self.checker = Checker(self.store, self.queues, FakeUpstream(), lambda: self.now, self.new_id)
        self.most: Counter[str] = Counter()
        """The most calls of the table and wake-ups in one invocation."""
        self.died = 0
        self._build(connections, feeds)

    def _build(self, connections: int, feeds: int) -> None:
        writes = [self.store.put_settings(Settings(enabled=True, bank_feeds=True, client_id="A" * 32))]
        companies = [Company(id=derived_id("company", str(n)), name="Bakery", created=NOW) for n in range(COMPANIES)]
        writes += [self.store.add_company(company) for company in companies]
        linked = [_connection(number, companies[number % COMPANIES]) for number in range(connections)]
        writes += [self.store.add_connection(connection) for connection in linked]
        self.feeds = [_feed(linked[number % connections], f"account-{number}") for number in range(feeds)]
        for feed in self.feeds:
            writes += [self.store.add_source_account(_account(feed)), ledger.add_feed(feed)]
        self.table.put_many(write.item for write in writes)

    def work_off(self, rng: random.Random, deaths: float = 0.0) -> None:
        """Every message, until none is left. One whose invocation dies in the midst comes again."""
        while self.queues.checks:
            self.queues.checks.sort(key=lambda found: found[1])
            check, delay = self.queues.checks.pop(0)
            self.now += timedelta(seconds=delay)
            self.invoke(check, rng.randint(1, 900) if rng.random() < deaths else None)

    def invoke(self, check: Check, dies_at: int | None = None) -> None:
        before, woken = Counter(self.table.calls), len(self.queues.woken)
        back = crash_at(self, dies_at) if dies_at else lambda: None
        try:
            self.checker.look(check)
        except Crashed:
            self.died += 1
            self.queues.checks.append((check, 2))
        finally:
            back()
        self.most |= self.table.calls - before
        self.most["wake"] = max(self.most["wake"], len(self.queues.woken) - woken)

    def events(self, kind: str) -> list[Event]:
        found = [Event.model_validate(item) for item in self.table.inserted if item["pk"].startswith("EVENT#")]
        return [event for event in found if event.type == kind]


def _connection(number: int, company: Company) -> Connection:
    tenant = Tenant(id=derived_id("tenant", str(number)), name="Bakery", xero_connection_id=f"x-{number}")
    return Connection(
        id=derived_id("connection", str(number)),
        company_id=company.id,
        status=ConnectionStatus.LINKED,
        created=NOW,
        tenant=tenant,
        token_set_id=f"tokens-{number}",
    )


def _account(feed: Feed) -> SourceAccount:
    return SourceAccount(
        id=feed.account_id,
        connection_id=feed.connection_id,
        company_id=feed.company_id,
        account_name="Current account",
        account_type="checking",
        account_number="20011234",
        currency="GBP",
        status=SourceAccountStatus.CONNECTED,
        mapping=Mapping(feed_connection_id=feed.feed_connection_id, account_token="token"),
        modified=NOW,
    )


def _feed(connection: Connection, account_id: str) -> Feed:
    return Feed(
        id=feed_id(connection.id, account_id),
        company_id=connection.company_id,
        connection_id=connection.id,
        account_id=account_id,
        tenant_id=connection.tenant.id if connection.tenant else "",
        token_set_id=connection.token_set_id or "",
        feed_connection_id=f"fc-{account_id}",
        currency="GBP",
        created=NOW,
        recorded_through=WAITING,
    )
