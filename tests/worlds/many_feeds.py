"""An app with very many feeds, each with something to send; and invocations that die in the middle of their work."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
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
from tests.fakes.quick_table import QuickTable
from tests.moments import Crashed, crash_at
from tests.worlds.base import BaseWorld

WAITING = 2
COMPANIES = 100


class CountingTable(QuickTable):
    """Counts the calls that DynamoDB would get."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def query(self, pk: str, **how: Any) -> Iterable[Item]:
        self.calls["query"] += 1
        return super().query(pk, **how)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        wanted = list(keys)
        self.calls["get_many"] += -(-len(wanted) // 100)
        return super().get_many(wanted)

    def commit(self, *writes: Write) -> None:
        self.calls["commit"] += 1
        super().commit(*writes)


class World(BaseWorld):
    """As many connections as asked for, with the feeds spread evenly over them."""

    def __init__(self, connections: int, feeds: int) -> None:
        super().__init__(table=CountingTable())
        self.checks = Checks(
            self.ports,
            self.upstream,
        )
        self.most: Counter[str] = Counter()
        """The most calls of the table, and the most wake-ups, in any one invocation."""
        self.died = 0
        self.feeds, items = _filled(connections, feeds)
        self.table.put_many(items)

    def work_off(self, rng: random.Random, deaths: float = 0.0) -> None:
        """Every message, until none is left. A message whose invocation dies comes again."""
        while self.queues.follow_ups:
            self.queues.follow_ups.sort(key=lambda waiting: waiting[1])
            check, delay = self.queues.follow_ups.pop(0)
            self.now += timedelta(seconds=delay)
            self.invoke(check, rng.randint(1, 900) if rng.random() < deaths else None)

    def invoke(self, check: FollowUp, dies_at: int | None = None) -> None:
        before, woken = Counter(self.table.calls), len(self.queues.woken)
        restore = crash_at(self, dies_at) if dies_at else lambda: None
        try:
            self.checks.dispatch(check)
        except Crashed:
            self.died += 1
            self.queues.follow_ups.append((check, 2))
        finally:
            restore()
        self.most |= self.table.calls - before
        self.most["wake"] = max(self.most["wake"], len(self.queues.woken) - woken)


@cache
def _filled(connections: int, feeds: int) -> tuple[Sequence[Feed], Sequence[Item]]:
    """The feeds, and every item of the app. Several tests begin with the same app, which takes a second to make."""
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
    made = [
        builders.feed(linked[number % connections], f"account-{number}", recorded_through=WAITING)
        for number in range(feeds)
    ]
    writes = [settings_items.put_settings(builders.settings())]
    writes += [company_items.add_company(company) for company in companies]
    writes += [company_items.add_connection(connection) for connection in linked]
    for feed in made:
        writes += [company_items.add_source_account(builders.mapped_account(feed)), feed_items.add_feed(feed)]
    return tuple(made), tuple(write.item for write in writes)
