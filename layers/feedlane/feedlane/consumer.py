"""A consumer: a webhook endpoint of the platform, and which events it wants."""

from __future__ import annotations

from datetime import datetime

from feedlane.event import Event
from feedlane.record import Record

MOST_CONSUMERS = 50


class Consumer(Record):
    """No event types means all of them; `company_tags` are `key:value`, any match is enough.

    The signing secret is not here: the vault has it.
    """

    id: str
    url: str
    event_types: tuple[str, ...] = ()
    company_tags: tuple[str, ...] = ()
    disabled: bool = False
    created: datetime
    failing_since: datetime | None = None
    version: int = 1

    def wants(self, event: Event) -> bool:
        """Whether its filters let the event through. While it is disabled, its deliveries are kept for it."""
        if self.event_types and event.type not in self.event_types:
            return False
        tags = {f"{key}:{value}" for key, value in event.company_tags.items()}
        return not self.company_tags or bool(tags & set(self.company_tags))
