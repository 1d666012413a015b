"""What every operation works with, in one record: store, queues, clock, new ids and the public address."""

from __future__ import annotations

from dataclasses import dataclass

from feedlane.clock import Clock
from feedlane.ids import NewId
from feedlane.queues import Queues
from feedlane.store.store import Store


@dataclass(frozen=True)
class Ports:
    """Passed as the first argument. The start of an operation reads the clock once, and passes `now` along."""

    store: Store
    queues: Queues
    clock: Clock
    new_id: NewId
    public_url: str = ""
    """The base of Feedlane's pages and API, without a trailing slash: for links in answers and events."""
