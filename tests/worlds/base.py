"""What every world has: a store, queues, a clock, ids and an upstream, all in memory."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from feedlane.events.event import Event
from feedlane.holds import items as hold_items
from feedlane.holds.hold import Hold
from feedlane.ports import Ports
from feedlane.scope import APP_SUBJECT, Scope
from feedlane.store.store import Store
from tests import builders
from tests.builders import NOW, URL, numbered_ids
from tests.fakes.queues import FakeQueues
from tests.fakes.table import MemoryTable
from tests.fakes.upstream import FakeUpstream


class BaseWorld:
    """The clock stands still until something moves it."""

    def __init__(self, now: datetime = NOW, table: MemoryTable | None = None, upstream: Any = None) -> None:
        self.now = now
        self.store = Store(table or MemoryTable())
        self.queues = FakeQueues()
        self.upstream: Any = upstream or FakeUpstream()
        self.new_id = numbered_ids()

    @property
    def ports(self) -> Ports:
        return Ports(self.store, self.queues, self.clock, self.new_id, URL)

    def clock(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Moves the clock by `seconds`, `minutes`, `hours` or `days`."""
        self.now += timedelta(**by)

    def add_hold(self, scope: Scope = Scope.APP, subject: str = APP_SUBJECT, **fields: Any) -> Hold:
        """Places a hold that stands from now on."""
        hold = builders.hold(scope, subject, **{"since": self.now} | fields)
        self.store.commit(*hold_items.add_hold(hold))
        return hold

    @property
    def table(self) -> Any:
        """The table behind the store. Its type depends on the world."""
        return self.store.table

    def events(self, *types: str) -> list[Event]:
        """All events (of these types) that were ever put into the outbox, in that order."""
        items = (item for item in self.table.inserted if item["pk"].startswith("EVENT#"))
        return [event for event in map(Event.model_validate, items) if not types or event.type in types]

    @property
    def event_types(self) -> list[str]:
        return [event.type for event in self.events()]
