"""An app with very many feeds, each with waiting lines; and invocations that crash in the middle of their work."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache, partial
from typing import Any

from feedlane.companies import items as company_items
from feedlane.feeds import items as feed_items
from feedlane.feeds.feed import Feed
from feedlane.follow_ups import FollowUp
from feedlane.ids import derived_id
from feedlane.settings import items as settings_items
from feedlane.store.table import Item, Key, Write
from feedlane.wiring.checks import Checks
from tests import builders
from tests.chains import NEW, Lineage
from tests.fakes.queues import in_chain, lineage_of
from tests.fakes.quick_table import QuickTable
from tests.interruptions import Crashed, crash_at
from tests.rights import acting
from tests.worlds.base import BaseWorld

WAITING = 2
COMPANIES = 100


class CountingTable(QuickTable):
    """Counts the calls that DynamoDB would get."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def query(self, pk: str, **options: Any) -> Iterable[Item]:
        self.calls["query"] += 1
        return super().query(pk, **options)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        key_list = list(keys)
        self.calls["get_many"] += -(-len(key_list) // 100)
        return super().get_many(key_list)

    def commit(self, *writes: Write) -> None:
        self.calls["commit"] += 1
        super().commit(*writes)


class World(BaseWorld):
    """So many connections, with the feeds spread evenly over them."""

    def __init__(self, connections: int, feeds: int) -> None:
        super().__init__(table=CountingTable())
        self.checks = acting("check_statements", Checks(self.ports, self.upstream))
        self.peak: Counter[str] = Counter()
        """The maximum number of each call of the table, and of wake-ups, in one invocation."""
        self.crashes = 0
        self.feeds, table = _app(connections, feeds)
        self.table.copy_from(table)

    def work_off(self, rng: random.Random, crash_rate: float = 0.0) -> None:
        """Handles every message, until none is left. A message whose invocation crashes comes again."""
        while self.queues.follow_ups:
            self.queues.follow_ups.sort(key=lambda delayed: delayed[1])
            delayed = self.queues.follow_ups.pop(0)
            self.now += timedelta(seconds=delayed[1])
            crash_step = rng.randint(1, 900) if rng.random() < crash_rate else None
            invoke = partial(self.invoke, delayed[0], crash_step, lineage_of(delayed))
            self.queues.run("check_statements", delayed, invoke)

    def invoke(self, follow_up: FollowUp, crash_step: int | None = None, lineage: Lineage = NEW) -> None:
        calls_before, woken_before = Counter(self.table.calls), len(self.queues.woken)
        restore = crash_at(self, crash_step) if crash_step else lambda: None
        try:
            self.checks.dispatch(follow_up)
        except Crashed:
            self.crashes += 1
            self.queues.follow_ups.append(in_chain((follow_up, 2), lineage))
        finally:
            restore()
        self.peak |= self.table.calls - calls_before
        self.peak["wake"] = max(self.peak["wake"], len(self.queues.woken) - woken_before)


@cache
def _app(connections: int, feeds: int) -> tuple[Sequence[Feed], QuickTable]:
    """The feeds, and a table with the app. Cached: several tests start with the same app, which takes seconds."""
    companies = [builders.company(derived_id("company", str(number))) for number in range(COMPANIES)]
    linked = [
        builders.linked(
            derived_id("connection", str(number)),
            company_id=companies[number % COMPANIES].id,
            tenant=builders.tenant(derived_id("tenant", str(number))),
            token_set_id=f"tokens-{number}",
        )
        for number in range(connections)
    ]
    app_feeds = [
        builders.feed(linked[number % connections], f"account-{number}", recorded_through=WAITING)
        for number in range(feeds)
    ]
    writes = [settings_items.put_settings(builders.settings())]
    writes += [company_items.add_company(company) for company in companies]
    writes += [company_items.add_connection(connection) for connection in linked]
    for feed in app_feeds:
        writes += [company_items.add_source_account(builders.mapped_account(feed)), feed_items.add_feed(feed)]
    table = QuickTable()
    table.put_many(write.item for write in writes)
    return tuple(app_feeds), table
