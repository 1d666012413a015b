"""A consumer: a webhook endpoint of the platform, and the events it subscribes to."""

from __future__ import annotations

from datetime import datetime

from feedlane.events.event import TEST, Event
from feedlane.record import Record

CONSUMERS_MAX = 50


class Consumer(Record):
    """No event types means all of them. `company_tags` are `key:value`; one match is enough.

    An event that belongs to no company (a refusal of the app, the connection limit) passes every tag filter.

    The vault keeps the signing secret and the values of the headers; neither is stored here.
    """

    id: str
    url: str
    event_types: tuple[str, ...] = ()
    company_tags: tuple[str, ...] = ()
    header_names: tuple[str, ...] = ()
    disabled: bool = False
    disabled_because: str = ""
    """By Feedlane: "gone" (it answered 410) or "failing" (for days). By the platform: "asked"."""
    created: datetime
    secret_rotated: datetime | None = None
    failing_since: datetime | None = None
    version: int = 1

    @property
    def subject(self) -> str:
        """The subject of the events about it, which keeps them in order."""
        return f"consumer/{self.id}"

    def wants(self, event: Event) -> bool:
        """Whether its filters let the event through. A disabled consumer wants events too: its deliveries wait."""
        if event.type == TEST:
            return event.subject == self.subject
        if self.event_types and event.type not in self.event_types:
            return False
        if event.company_id is None or not self.company_tags:
            return True
        tags = {f"{key}:{value}" for key, value in event.company_tags.items()}
        return bool(tags & set(self.company_tags))
